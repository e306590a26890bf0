"""Checks of the arguments that every evaluation shares. No TensorFlow."""

from __future__ import annotations

import argparse
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.files import shipped_model


def chosen_policies(given: list[str] | None, known: tuple[str, ...], default) -> list[str]:
    """The policies named, each once; raises InputError for an unknown one or none."""
    policies = [name for part in given or default for name in part.split(",") if name]
    unknown = [name for name in policies if name not in known]
    if unknown or not policies:
        received = repr(unknown[0]) if unknown else "none"
        raise InputError(f"expected policies among {', '.join(known)}; received {received}")
    return list(dict.fromkeys(policies))


def check_sizes(args: argparse.Namespace, horizon: int) -> None:
    """Raises InputError for runs, candidates, a seed or a file that no evaluation can use."""
    if args.runs < 1:
        raise InputError(f"expected at least 1 run; received --runs {args.runs}")
    if args.candidates < horizon:
        raise InputError(
            f"expected a pool of at least {horizon} candidates, one for each trial; "
            f"received --candidates {args.candidates}"
        )
    if args.seed < 0:
        raise InputError(f"expected a seed of 0 or more; received --seed {args.seed}")
    if args.json and Path(args.json).is_dir():
        raise InputError(f"expected a file name after --json; received the directory {args.json}")


def model_directory(args: argparse.Namespace) -> Path:
    """Where the learned policy's preset is: `--model`, or the newest shipped version."""
    return Path(args.model) if args.model else shipped_model(args.task)
