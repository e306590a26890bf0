"""`aline-tf train TASK`: trains a model and writes its preset and its log."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.tasks import TASKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf train`."""
    parser.add_argument("task", help=f"{', '.join(TASKS)}, or package.module:ClassName")
    parser.add_argument(
        "--out",
        type=Path,
        help="directory of the preset and log (default: build/train/TASK)",
    )
    parser.add_argument(
        "--recipe",
        default="shipped",
        metavar="shipped|FILE",
        help="shipped (the default): that of the task's preset; or a JSON file of settings, such as"
        " a recipe of a preset's metadata.json",
    )
    parser.add_argument("--seed", type=int, default=1, help="of everything random (default: 1)")
    parser.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="in all, the phases in the recipe's proportion, instead of the shipped recipe's",
    )
    parser.add_argument("--warmup-steps", type=int, help="instead of the shipped recipe's")
    parser.add_argument("--joint-steps", type=int, help="instead of the shipped recipe's")
    parser.add_argument(
        "--steps-per-epoch", type=int, default=50, help="steps between reports (default: 50)"
    )
    parser.add_argument(
        "--validation-episodes",
        type=int,
        metavar="N",
        help="held-out episodes to play after every epoch, reported and logged as val_...",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another setting of the recipe, as JSON: --set batch=64, --set rollout.pool=64"
        " (repeatable)",
    )
    parser.add_argument(
        "--from-model",
        metavar="NAME|DIR",
        help="start from the weights of this preset, a directory or the name of a packaged one",
    )
    parser.add_argument(
        "--restart",
        action="store_true",
        help="forget an interrupted run found in --out, replace a finished one",
    )
    parser.add_argument("--threads", type=int, help="limit TensorFlow to this many threads")


def run(args: argparse.Namespace) -> int:
    """Trains, and says what was written.

    Raises:
        InputError: an argument cannot be used; nothing is written.
    """
    from aline_tf.experiments.lookup import model_settings
    from aline_tf.training.recipe import recipe_in, with_settings

    if args.steps_per_epoch < 1:
        raise InputError(
            f"expected --steps-per-epoch of 1 or more; received {args.steps_per_epoch}"
        )
    sizes, recipe = model_settings(args.task)
    if args.recipe != "shipped":
        recipe = recipe_in(args.recipe)
    recipe = with_settings(recipe, args.set)
    episodes = args.validation_episodes
    if episodes is not None and episodes < 1:
        raise InputError(f"expected --validation-episodes of 1 or more; received {episodes}")
    if args.threads is not None and args.threads < 1:
        raise InputError(f"expected --threads of 1 or more; received {args.threads}")
    steps = _steps(args, recipe.phases)
    try:
        recipe = dataclasses.replace(recipe, **steps)
    except ValueError as error:
        raise InputError(f"expected settings of a recipe; received: {error}") from error
    out = args.out or Path("build/train") / args.task.replace(":", ".")

    import tensorflow as tf

    from aline_tf.runtime.malloc import keep_memory

    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        tf.config.threading.set_inter_op_parallelism_threads(args.threads)
    keep_memory()  # steps go through gigabytes of tensors

    from aline_tf.tasks import task_by_name
    from aline_tf.training.run import train

    task = task_by_name(args.task)
    if task.note:
        print(f"note: {task.note}", flush=True)
    train(
        task,
        out,
        recipe=recipe,
        sizes=sizes,
        from_preset=args.from_model,
        seed=args.seed,
        steps_per_epoch=args.steps_per_epoch,
        restart=args.restart,
        name=args.task,
        validation_episodes=episodes,
    )
    print(f"wrote {out / 'preset'} and {out / 'training_log.csv'}")
    return 0


def _steps(args, phases) -> dict[str, int]:
    """What the options change of the lengths of the phases."""
    asked = {name: getattr(args, name) for name in ("warmup_steps", "joint_steps")}
    asked = {name: count for name, count in asked.items() if count is not None}
    for name, count in asked.items():
        if count < 0:
            raise InputError(f"expected {name} of 0 or more; received {count}")
    if args.steps is None:
        return asked
    if asked:
        raise InputError(
            "expected --steps, or --warmup-steps and --joint-steps; received --steps and "
            f"--{next(iter(asked)).replace('_', '-')}"
        )
    least = sum(count > 0 for count in (phases.warmup_steps, phases.joint_steps))
    if args.steps < least:
        raise InputError(
            f"expected --steps of {least} or more, one for each phase; received {args.steps}"
        )
    warmup = round(args.steps * phases.warmup_steps / phases.steps)
    if phases.warmup_steps and phases.joint_steps:
        warmup = min(max(warmup, 1), args.steps - 1)
    return {"warmup_steps": warmup, "joint_steps": args.steps - warmup}
