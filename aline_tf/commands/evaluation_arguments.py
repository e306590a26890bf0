"""The arguments that evaluations share, and their checks. No TensorFlow."""

from __future__ import annotations

import argparse
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.runtime.atomic_files import shipped_model


def add_detail_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options that show more of a run, where a task has them (see `refuse_details`)."""
    parser.add_argument(
        "--curves",
        action="store_true",
        help="figures after every step in the JSON file, not after a few "
        "(psychometric, location_finding, ces)",
    )
    parser.add_argument(
        "--plots",
        metavar="DIR",
        help="also draw curves, queries and posteriors, as PNG and SVG (implies --curves)",
    )
    parser.add_argument(
        "--switch",
        type=int,
        metavar="STEP",
        help="psychometric only: want one pair of parameters for STEP trials, then the other",
    )
    parser.add_argument(
        "--joint",
        action="store_true",
        help="also compare the learned joint posterior with its marginals (location_finding, ces)",
    )


def refuse_details(args: argparse.Namespace, *names: str) -> None:
    """Raises InputError when an option of `add_detail_arguments` is given that a task lacks."""
    for name in names:
        if getattr(args, name, None):
            raise InputError(f"expected no --{name} with {args.task}; received it")


def check_plots(args: argparse.Namespace) -> None:
    """Raises InputError when --plots names something that is no directory."""
    if args.plots and Path(args.plots).exists() and not Path(args.plots).is_dir():
        raise InputError(f"expected a directory after --plots; received the file {args.plots}")


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
    return Path(args.model) if args.model else shipped_model(args.task.partition(":")[0])
