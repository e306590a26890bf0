"""`aline-tf train TASK`: trains a network and writes its preset and its log."""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import time
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.tasks import TASKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", help=f"{', '.join(TASKS)}, or package.module:ClassName")
    parser.add_argument(
        "--out",
        type=Path,
        help="directory of the preset and log (default: build/train/TASK)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of everything random (default: 1)")
    parser.add_argument("--warmup-steps", type=int, help="instead of the shipped recipe's")
    parser.add_argument("--joint-steps", type=int, help="instead of the shipped recipe's")
    parser.add_argument("--steps-per-epoch", type=int, default=50, help="steps between reports")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another setting of the recipe, as JSON: --set batch=64 (repeatable)",
    )
    parser.add_argument("--from-preset", type=Path, help="start from the weights of this preset")
    parser.add_argument(
        "--restart", action="store_true", help="forget an interrupted run found in --out"
    )
    parser.add_argument("--threads", type=int, help="limit TensorFlow to this many threads")


def run(args: argparse.Namespace) -> int:
    from aline_tf.experiments.lookup import model_settings

    sizes, recipe = model_settings(args.task)
    recipe = _changed(recipe, args)
    if args.steps_per_epoch < 1:
        raise InputError(
            f"expected --steps-per-epoch of 1 or more; received {args.steps_per_epoch}"
        )
    out = args.out or Path("build/train") / args.task.replace(":", ".")

    import keras
    import tensorflow as tf

    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        tf.config.threading.set_inter_op_parallelism_threads(args.threads)

    from aline_tf.models.aline import ALINE
    from aline_tf.models.presets import load_preset, save_preset
    from aline_tf.runtime.malloc import keep_memory
    from aline_tf.tasks import task_by_name
    from aline_tf.tasks.contract import check_contract
    from aline_tf.training.callbacks import training_callbacks
    from aline_tf.training.trainer import Trainer

    task = task_by_name(args.task)
    check_contract(task)
    pool = recipe.rollout.pool
    if recipe.phases.joint_steps and pool < 2:
        raise InputError(f"expected a pool of 2 or more to choose from; received {pool}")
    keep_memory()  # steps go through gigabytes of tensors
    keras.utils.set_random_seed(args.seed)
    if args.from_preset:
        network = load_preset(args.from_preset, task=task.spec.name)
    else:
        network = ALINE.for_task(task, **sizes)
    trainer = Trainer(network, task)
    try:
        trainer.compile(recipe=recipe, seed=args.seed)
    except ValueError as error:
        raise InputError(f"expected a recipe for {task.spec.name}; received: {error}") from error
    out.mkdir(parents=True, exist_ok=True)
    started = time.process_time()
    trainer.fit(
        steps_per_epoch=args.steps_per_epoch,
        callbacks=training_callbacks(
            out,
            restart=args.restart,
            run={"task": args.task, "from_preset": args.from_preset and str(args.from_preset)},
        ),
        verbose=2,
    )
    metadata = {
        "task": task.spec.name,
        "parameters": int(network.count_params()),
        "recipe": recipe.to_dict(),
        "seed": args.seed,
        "steps": int(trainer.optimizer.iterations.numpy()),
        "cpu_seconds_last_sitting": round(time.process_time() - started),
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }
    save_preset(network, out / "preset", metadata)
    print(f"wrote {out / 'preset'} and {out / 'training_log.csv'}")
    return 0


def _changed(recipe, args):
    """The recipe with the command line's changes."""
    from aline_tf.training.recipe import SETTINGS, setting_place

    changes = {}
    for text in args.set:
        name, _, value = text.partition("=")
        try:
            _, name = setting_place(name)
        except TypeError as error:
            raise InputError(
                f"expected --set with a setting of {', '.join(SETTINGS)}; received {text!r}"
            ) from error
        try:
            value = json.loads(value)
        except ValueError as error:
            raise InputError(f"expected --set {name}=VALUE in JSON; received {text!r}") from error
        changes[name] = tuple(value) if isinstance(value, list) else value
    for name in ("warmup_steps", "joint_steps"):
        given = getattr(args, name)
        if given is not None:
            if given < 0:
                raise InputError(f"expected {name} of 0 or more; received {given}")
            changes[name] = given
    try:
        return dataclasses.replace(recipe, **changes)
    except (ValueError, TypeError) as error:
        raise InputError(f"expected settings of a recipe; received: {error}") from error
