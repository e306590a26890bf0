"""`aline-tf gateway service`: a program that may act for several people, as far as they let it."""

from __future__ import annotations

import argparse

from aline_tf.commands.gateway_arguments import add_database, extra
from aline_tf.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `aline-tf gateway service`."""
    add_database(parser)
    parser.add_argument("--name", help="of a new service, for the people who are to let it act")
    parser.add_argument(
        "--service", metavar="ID", help="a service there is, which gets one more token"
    )
    parser.add_argument(
        "--revoke", action="store_true", help="let no earlier token of it count any more"
    )


def run(args: argparse.Namespace) -> int:
    """Add a service, or a token of one; both are printed, the token never again.

    Raises:
        InputError: the database, the service or the name cannot be used.
    """
    if (args.name is None) == (args.service is None):
        received = "neither" if args.name is None else "both"
        raise InputError(f"expected --name of a new service or --service; received {received}")
    if args.revoke and args.service is None:
        raise InputError("expected --revoke with --service; received it with a new one")
    with extra():
        from aline_tf.gateway.service import utc_now
        from aline_tf.gateway.storage.database import Database
        from aline_tf.gateway.storage.services import (
            add_service,
            issue_service_token,
            revoke_service_tokens,
        )

    database, now = Database(args.database), int(utc_now().timestamp())
    database.upgrade()
    with database.writing() as connection:
        service = args.service or add_service(connection, args.name, now)
        revoked = revoke_service_tokens(connection, service, now) if args.revoke else None
        token = issue_service_token(connection, service, now)
    database.close()
    print(f"service {service}\ntoken {token}")
    if revoked is not None:
        print(f"revoked {revoked}")
    return 0
