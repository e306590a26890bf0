"""Trains with an exported step (see step.py). Needs JAX and NumPy, and nothing of this repository.

python train.py TRIP [--first STEP] [--steps N | --seconds S] [--rate PEAK FINAL] [--chunk K]

Runs AdamW as Keras does (rates .9 and .999, decoupled weight decay, clipping by the global norm)
under one cosine, K steps in one compiled call, and writes last.npz and log.csv after each minute.
With --seconds the rate and the recipe's schedules follow the clock, from the end of the compilation
on, by leaving steps out: for a machine lent by the minute, whose speed nobody knows yet. Give it a
recipe of more steps than there is time for.
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
    parser.add_argument("--seconds", type=float, help="how long instead, without the compilation")
    parser.add_argument("--rate", type=float, nargs=2, help="learning rates, first and last")
    parser.add_argument("--chunk", type=int, default=10)
    args = parser.parse_args()
    about = json.loads((args.trip / "about.json").read_text())
    recipe = about["recipe"]["optimizer"]
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

    def rate_after(part):
        return rates[1] + 0.5 * (rates[0] - rates[1]) * (1.0 + np.cos(np.pi * part))

    chunk = jax.jit(lambda state, now: jax.lax.scan(update, state, now))
    with np.load(args.trip / "first.npz") as file:
        weights = [jnp.asarray(file[f"arr_{index}"]) for index in range(len(file.files))]
    zeros = [jnp.zeros_like(w) for w in weights]
    state, done, started = (weights, zeros, zeros, jnp.float32(0.0)), 0, time.time()
    saved, at = None, 0
    with (args.trip / "log.csv").open("w") as log:
        log.write("step," + ",".join(about["metrics"]) + "\n")
        while True:
            if args.seconds:
                part = 0.0 if saved is None else (time.time() - started) / args.seconds
                more, at = args.chunk, max(at, int(part * steps))
            else:
                part, more, at = done / steps, min(args.chunk, steps - done), done
            if part >= 1.0:
                break
            each = np.arange(more)
            rate = rate_after(part) * np.minimum(1.0, (done + each + 1) / RAMP)
            index = jnp.int32(args.first + at + each)
            state, metrics = chunk(state, (index, jnp.float32(rate)))
            told = np.asarray(metrics).mean(axis=0)
            done, at = done + more, at + more
            log.write(f"{args.first + at}," + ",".join(f"{x:.5g}" for x in told) + "\n")
            now = time.time()
            if saved is None:
                print(f"compiled, {now - started:.0f} s", flush=True)
                saved = started = now
            if now - saved > SAVE_SECONDS:
                log.flush()
                save(state[0])
                saved = now
                print(f"{done} steps, {now - started:.0f} s, rate {rate[-1]:.2g}", flush=True)
    save(state[0])
    print(f"{done} steps in {time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
