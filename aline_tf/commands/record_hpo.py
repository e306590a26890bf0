"""`aline-tf record-hpo`: records a meta-dataset of hyper-parameter evaluations, HPO-B's format."""

from __future__ import annotations

import argparse
from pathlib import Path

from aline_tf.experiments.hyperparameters import table_recorder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf record-hpo`."""
    spaces = tuple(table_recorder.SPACES)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--space", action="append", choices=spaces, help="default: all")
    parser.add_argument(
        "--configurations", type=int, default=table_recorder.CONFIGURATIONS, metavar="N"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S")


def run(args: argparse.Namespace) -> int:
    """Records what the arguments ask for; an interrupted recording goes on where it was.

    Raises:
        InputError: an argument cannot be used; nothing has been written.
    """
    spaces = args.space or tuple(table_recorder.SPACES)
    table_recorder.record(args.out, spaces, args.configurations, args.seed)
    return 0
