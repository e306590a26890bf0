"""What the commands that listen share: the address, as options."""

from __future__ import annotations

import argparse


def add_address(parser: argparse.ArgumentParser, port: int) -> None:
    """Add --host and --port.

    Args:
        parser: of the command.
        port: the default.
    """
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, this machine only)",
    )
    parser.add_argument(
        "--port",
        type=port_number,
        default=port,
        help="port to listen on; 0 picks a free one and prints it (default: %(default)s)",
    )


def port_number(text: str) -> int:
    """A port as somebody wrote it, 0 for any.

    Raises:
        argparse.ArgumentTypeError: no whole number from 0 to 65535.
    """
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535; received {text!r}")
    return port
