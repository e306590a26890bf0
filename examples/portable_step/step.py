"""A training step that travels: to a GPU machine that has JAX, and no TensorFlow, and back.

    python step.py export location_finding TRIP --from-preset PRESET --set batch=128
    python train.py TRIP --steps 2000                        # there; it needs TRIP and train.py
    python step.py preset TRIP NEW_PRESET

`export` compiles the gradients of `aline_tf.training.trainer.Trainer` to StableHLO: simulation,
rollout, losses and backward pass, as a function of the weights and the step alone. It needs jax
beside TensorFlow (pip install jax==0.10.2). The optimiser is a few lines of `train.py`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

ABOUT, STEP, FIRST, LAST = "about.json", "step.bin", "first.npz", "last.npz"


def pure_step(trainer):
    """(weights, step) -> (gradients, metrics): no state, nothing read but its arguments.

    Args:
        trainer: compiled.
    """
    import keras
    import tensorflow as tf

    def step(weights, index):
        mapping = list(zip(trainer.trainable_variables, weights, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            gradients, metrics = trainer.step_gradients(index)
        return gradients, tf.stack([metrics[name] for name in sorted(metrics)])

    return step


def export(args) -> None:
    import jax
    import keras
    import tensorflow as tf
    from jax.experimental import jax2tf

    from aline_tf.experiments.lookup import model_settings
    from aline_tf.models.aline import ALINE
    from aline_tf.models.presets import load_preset
    from aline_tf.tasks import task_by_name
    from aline_tf.training.recipe import with_settings
    from aline_tf.training.trainer import METRICS, Trainer

    sizes, recipe = model_settings(args.task)
    for text in args.size:
        name, _, value = text.partition("=")
        sizes = sizes | {name: int(value)}
    recipe = with_settings(recipe, args.set)
    keras.utils.set_random_seed(args.seed)
    task = task_by_name(args.task)
    model = load_preset(args.from_preset) if args.from_preset else ALINE.for_task(task, **sizes)
    trainer = Trainer(model, task)
    trainer.compile(recipe=recipe, seed=args.seed)
    weights = [np.asarray(variable) for variable in trainer.trainable_variables]

    step = tf.function(pure_step(trainer), jit_compile=True, autograph=False)
    shapes = [jax.ShapeDtypeStruct(weight.shape, np.float32) for weight in weights]
    portable = jax.export.export(
        jax.jit(jax2tf.call_tf(step, has_side_effects=False)), platforms=["cpu", "cuda"]
    )(shapes, jax.ShapeDtypeStruct((), np.int32))

    args.trip.mkdir(parents=True, exist_ok=True)
    (args.trip / STEP).write_bytes(portable.serialize())
    np.savez(args.trip / FIRST, *weights)
    about = {
        "task": args.task,
        "config": model.get_config(),
        "recipe": recipe.to_dict(),
        "steps": recipe.steps,
        "seed": args.seed,
        "metrics": sorted(METRICS),
    }
    (args.trip / ABOUT).write_text(json.dumps(about, indent=1))
    print(f"wrote {args.trip}: a step of {len(weights)} weights")


def preset(args) -> None:
    from aline_tf.models.aline import ALINE
    from aline_tf.models.presets import load_preset, save_preset

    about = json.loads((args.trip / ABOUT).read_text())
    model = ALINE.from_config(about["config"])
    model.build()
    with np.load(args.weights or args.trip / LAST) as file:
        weights = [file[f"arr_{index}"] for index in range(len(file.files))]
    for variable, weight in zip(model.trainable_variables, weights, strict=True):
        variable.assign(weight)
    if args.halfway_from:
        started = load_preset(args.halfway_from)
        for variable, weight in zip(model.weights, started.weights, strict=True):
            variable.assign(0.5 * (variable + weight))
    kept = {name: about[name] for name in ("recipe", "seed", "steps")}
    save_preset(model, args.out, {"task": model.spec.name} | kept)
    print(f"wrote {args.out}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    out = commands.add_parser("export", help="write the step of a task")
    out.add_argument("task")
    out.add_argument("trip", type=Path, help="directory to write")
    out.add_argument("--from-preset", type=Path, help="start from these weights")
    out.add_argument(
        "--set", action="append", default=[], metavar="NAME=JSON", help="of the recipe"
    )
    out.add_argument(
        "--size", action="append", default=[], metavar="NAME=N", help="of an untrained model"
    )
    out.add_argument("--seed", type=int, default=1)
    out.set_defaults(run=export)
    back = commands.add_parser("preset", help="make a preset of the weights that came back")
    back.add_argument("trip", type=Path)
    back.add_argument("out", type=Path)
    back.add_argument("--weights", type=Path, help=f"instead of {LAST} of the trip")
    back.add_argument(
        "--halfway-from",
        type=Path,
        metavar="PRESET",
        help="take the mean of the new weights and those of this preset, where they began: less of "
        "the noise of the last steps",
    )
    back.set_defaults(run=preset)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
