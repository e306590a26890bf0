"""`aline-tf gateway person`: somebody who may use the gateway, or one more token of theirs."""

from __future__ import annotations

import argparse

from aline_tf.commands.gateway_arguments import add_database, extra
from aline_tf.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `aline-tf gateway person`."""
    add_database(parser)
    parser.add_argument(
        "--zone", metavar="NAME", help="time zone the person lives in, like Europe/Berlin"
    )
    parser.add_argument(
        "--person", metavar="ID", help="a person there is, who gets one more token (default: new)"
    )
    parser.add_argument(
        "--label", default="phone", help="what will use the token (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Add a person, or a token of one; both are printed, the token never again.

    Raises:
        InputError: the database, the person, the time zone or the label cannot be used.
    """
    if args.person is not None and args.zone is not None:
        raise InputError("expected --zone for a new person; received --person beside it")
    with extra():
        from aline_tf.gateway.service import utc_now
        from aline_tf.gateway.storage.database import Database
        from aline_tf.gateway.storage.people import add_person, issue_token

    database, now = Database(args.database), int(utc_now().timestamp())
    database.upgrade()
    with database.writing() as connection:
        person = args.person or add_person(connection, now, args.zone)
        token = issue_token(connection, person, args.label, now)
    database.close()
    print(f"person {person}\ntoken {token}")
    return 0
