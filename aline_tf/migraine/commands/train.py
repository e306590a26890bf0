"""`aline-tf migraine train`: the shipped model trained on with people who recorded themselves."""

from __future__ import annotations

import argparse
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.task.fine_tuning import BATCH, RATE, STEPS, WEIGHTS
from aline_tf.runtime.atomic_files import require_directory

#: Evenings of held-out people that are scored.
SCORED = 2048


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf migraine train`."""
    parser.add_argument(
        "records",
        type=Path,
        metavar="DIR",
        help="a folder of timelines that `migraine import` or `migraine simulate` wrote, one a"
        " person",
    )
    parser.add_argument(
        "--held-out", type=Path, metavar="DIR", help="timelines of other people, to score it on"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("build/train/migraine_recorded"),
        help="of the preset and the log (default: build/train/migraine_recorded)",
    )
    parser.add_argument(
        "--from-model",
        metavar="NAME|DIR",
        help="start from the weights of this preset (default: the shipped one)",
    )
    parser.add_argument(
        "--steps", type=int, default=STEPS, help=f"of {BATCH} evenings each (default: {STEPS})"
    )
    parser.add_argument(
        "--weights",
        choices=WEIGHTS,
        default=WEIGHTS[0],
        help=f"{WEIGHTS[0]}: of the head that forecasts, all else stays as it is (default)",
    )
    parser.add_argument(
        "--learning-rate", type=float, default=RATE, help=f"at its highest (default: {RATE:g})"
    )
    parser.add_argument("--seed", type=int, default=1, help="of everything random (default: 1)")
    parser.add_argument(
        "--restart",
        action="store_true",
        help="forget an interrupted run in --out, replace a finished one",
    )
    parser.add_argument("--threads", type=int, help="limit TensorFlow to this many threads")


def run(args: argparse.Namespace) -> int:
    """Trains, saves the preset and prints log scores before and after.

    Raises:
        InputError: an argument or a timeline cannot be used; nothing has been written.
    """
    if args.steps < 1 or not 0 < args.learning_rate < 1:
        raise InputError(
            "expected --steps of 1 or more and --learning-rate between 0 and 1; received"
            f" {args.steps} and {args.learning_rate:g}"
        )
    if args.threads is not None and args.threads < 1:
        raise InputError(f"expected --threads of 1 or more; received {args.threads}")
    for place in (args.out, args.out / "preset", args.out / "backup"):
        require_directory(place)

    import numpy as np
    import tensorflow as tf

    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        tf.config.threading.set_inter_op_parallelism_threads(args.threads)

    from aline_tf.migraine.task.fine_tuning import fine_tune
    from aline_tf.migraine.task.pretrained import load_model
    from aline_tf.migraine.task.recorded import RecordedTask, read_histories
    from aline_tf.runtime.malloc import keep_memory
    from aline_tf.training.callbacks import training_callbacks

    histories = read_histories(args.records)
    task = RecordedTask(histories)
    others = RecordedTask(read_histories(args.held_out)) if args.held_out else None
    model = load_model(args.from_model)
    keep_memory()  # steps go through gigabytes of tensors
    people = len(np.unique(task.evenings[:, 0]))
    print(
        f"{len(task.evenings):,} evenings to learn from, of {people} of the {len(histories)} people"
        f" of {args.records}"
    )
    before = log_scores(model, others, args.seed) if others else None

    def metadata(trainer):
        return {
            "task": task.spec.name,
            "recipe": trainer.recipe.to_dict(),
            "weights": args.weights,
            "seed": args.seed,
            "people": people,
            "evenings": len(task.evenings),
        }

    fine_tune(
        model,
        task,
        steps=args.steps,
        learning_rate=args.learning_rate,
        seed=args.seed,
        weights=args.weights,
        callbacks=training_callbacks(
            args.out,
            restart=args.restart,
            run={
                "records": str(args.records),
                "from_preset": str(args.from_model),
                "weights": args.weights,
            },
            metadata=metadata,
        ),
        verbose=2,
    )
    print(f"wrote {args.out / 'preset'} and {args.out / 'training_log.csv'}")
    if others:
        after = log_scores(model, others, args.seed)
        print(f"log score of {SCORED} evenings of the people of {args.held_out}:")
        for hours, was, became in zip((24, 48), before, after, strict=True):
            print(f"  within {hours} h: {was:.4f} before, {became:.4f} after")
    return 0


def log_scores(model, task, seed: int) -> list[float]:
    """Mean log probability of what followed within 24 and 48 h, over recorded evenings."""
    import tensorflow as tf

    from aline_tf import draws
    from aline_tf.batch import BATCH_FIELDS
    from aline_tf.migraine.schema.channels import FORECASTS

    total, count = tf.zeros([len(FORECASTS)]), tf.zeros([len(FORECASTS)])

    @tf.function(autograph=False)
    def of_batch(batch_seed):
        episode = task.sample_episodes(batch_seed, BATCH, 1)
        state = {name: episode[name] for name in BATCH_FIELDS}
        outputs = model(state)
        log_prob = model.target_log_prob(outputs, state, episode["target_outcome"])
        known = tf.cast(episode["target_observed"], tf.float32)[:, : len(FORECASTS)]
        return tf.reduce_sum(known * log_prob[:, : len(FORECASTS)], 0), tf.reduce_sum(known, 0)

    for step in range(SCORED // BATCH):
        score, known = of_batch(draws.as_seed(seed + 1_000_000 + step))
        total, count = total + score, count + known
    return (total / count).numpy().tolist()
