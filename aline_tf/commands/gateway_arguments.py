"""What the commands of the gateway share: the database, and the extra that they need."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator

from aline_tf.errors import InputError

#: Names the database where no argument does, so that its password stands in no list of processes.
DATABASE_VARIABLE = "ALINE_TF_DATABASE"


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the database."""
    parser.add_argument(
        "--database",
        metavar="URL",
        default=os.environ.get(DATABASE_VARIABLE, "sqlite:///gateway.db"),
        help="SQLite or PostgreSQL, as postgresql+psycopg://user@host/name (default:"
        f" {DATABASE_VARIABLE} of the environment, or the file gateway.db here)",
    )


@contextlib.contextmanager
def extra() -> Iterator[None]:
    """What is imported inside needs the extra `gateway`.

    Raises:
        InputError: it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("aline_tf"):
            raise
        raise InputError(
            "expected the extra gateway (pip install 'aline_tf[gateway]'); received a place"
            f" without {error.name}"
        ) from error
