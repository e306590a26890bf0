"""Trains with an exported step (see step.py). Needs JAX and NumPy, and nothing of this repository.

python train.py TRIP [--first STEP] [--steps N] [--rate PEAK FINAL] [--chunk K]

Runs AdamW as Keras does (rates .9 and .999, decoupled weight decay, clipping by the global norm)
under one cosine, K steps in one compiled call, and writes last.npz and log.csv after each minute.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

# Before JAX is loaded: products in full float32, since teachers subtract nearly equal variances.
os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
os.environ.setdefault("XLA_FLAGS", "--xla_gpu_enable_triton_gemm=false")

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

RAMP, SAVE_SECONDS = 100, 60.0
EPSILON = 1e-7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trip", type=Path)
    parser.add_argument("--first", type=int, default=0, help="step of the recipe to begin with")
    parser.add_argument("--steps", type=int, help="how many (default: to the end of the recipe)")
    parser.add_argument("--rate", type=float, nargs=2, help="learning rates, first and last")
    parser.add_argument("--chunk", type=int, default=10)
    args = parser.parse_args()
    about = json.loads((args.trip / "about.json").read_text())
    recipe = about["recipe"]
    steps = args.steps or about["steps"] - args.first
    rates = args.rate or (recipe["learning_rate"], recipe["final_learning_rate"])
    call = export.deserialize(bytearray((args.trip / "step.bin").read_bytes())).call

    def update(state, now):
        weights, mean, square, count = state
        index, rate = now
        gradients, metrics = call(weights, index)
        norm = jnp.sqrt(sum(jnp.sum(g * g) for g in gradients))
        # A step with a gradient that is not finite is left out.
        fine = jnp.isfinite(norm)
        factor = jnp.where(fine, jnp.minimum(1.0, recipe["clip_norm"] / (norm + 1e-12)), 0.0)
        gradients = [jnp.where(fine, g, 0.0) * factor for g in gradients]
        rate, count = jnp.where(fine, rate, 0.0), count + 1.0
        mean = [0.9 * m + 0.1 * g for m, g in zip(mean, gradients, strict=True)]
        square = [0.999 * s + 0.001 * g * g for s, g in zip(square, gradients, strict=True)]
        alpha = rate * jnp.sqrt(1.0 - 0.999**count) / (1.0 - 0.9**count)
        weights = [
            w * (1.0 - rate * recipe["weight_decay"]) - alpha * m / (jnp.sqrt(s) + EPSILON)
            for w, m, s in zip(weights, mean, square, strict=True)
        ]
        return (weights, mean, square, count), metrics

    def save(weights):
        temporary = args.trip / "last.part.npz"
        np.savez(temporary, *map(np.asarray, weights))
        temporary.replace(args.trip / "last.npz")

    chunk = jax.jit(lambda state, now: jax.lax.scan(update, state, now))
    with np.load(args.trip / "first.npz") as file:
        weights = [jnp.asarray(file[f"arr_{index}"]) for index in range(len(file.files))]
    zeros = [jnp.zeros_like(w) for w in weights]
    state, saved, started = (weights, zeros, zeros, jnp.float32(0.0)), time.time(), time.time()
    with (args.trip / "log.csv").open("w") as log:
        log.write("step," + ",".join(about["metrics"]) + "\n")
        for begin in range(0, steps, args.chunk):
            done = begin + np.arange(min(args.chunk, steps - begin))
            cosine = 0.5 * (1.0 + np.cos(np.pi * done / max(steps, 1)))
            rate = rates[1] + (rates[0] - rates[1]) * cosine
            rate *= np.minimum(1.0, (done + 1) / RAMP)
            now = (jnp.int32(args.first + done), jnp.float32(rate))
            state, metrics = chunk(state, now)
            told = np.asarray(metrics).mean(axis=0)
            log.write(f"{args.first + done[-1] + 1}," + ",".join(f"{x:.5g}" for x in told) + "\n")
            if time.time() - saved > SAVE_SECONDS:
                log.flush()
                save(state[0])
                saved = time.time()
                print(f"{begin + len(done)} of {steps} steps, {saved - started:.0f} s", flush=True)
    save(state[0])
    print(f"{steps} steps in {time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
