"""`aline-tf gateway serve`: the back end of an application, over HTTP."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
from pathlib import Path

from aline_tf.commands.gateway_arguments import add_database, extra
from aline_tf.commands.listening import add_address
from aline_tf.errors import InputError

DEMO_TOKEN = "demo"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `aline-tf gateway serve`."""
    add_database(parser)
    parser.add_argument(
        "--served-model",
        metavar="HOST:PORT",
        help="gRPC port of a model server with `migraine` (default: the model in this process)",
    )
    parser.add_argument(
        "--model", metavar="NAME|DIR", help="a preset (default: the one that is shipped)"
    )
    add_address(parser, port=8000)
    parser.add_argument(
        "--origin",
        nargs="+",
        default=[],
        metavar="URL",
        help="other sites whose pages may ask, like https://app.example.org (default: none)",
    )
    parser.add_argument(
        "--webhook-host",
        nargs="+",
        default=[],
        metavar="HOST",
        help="who may be called about events, as host or host:port (default: nobody)",
    )
    parser.add_argument(
        "--per-minute",
        type=float,
        default=600.0,
        metavar="N",
        help="requests of one person a minute (default: %(default)g)",
    )
    parser.add_argument("--quiet", action="store_true", help="no line for every request")
    parser.add_argument(
        "--demo",
        type=Path,
        nargs="+",
        metavar="FILE",
        help=f"begin with a person whose token is {DEMO_TOKEN!r} and who has sent these files; on"
        " this machine only",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; the line with the address is printed once it answers.

    Raises:
        InputError: the address, the database, the model or a file of the demonstration cannot be
            used.
    """
    if args.demo and args.host not in _LOOPBACK:
        raise InputError(f"expected --demo on this machine only; received --host {args.host}")
    if args.model is not None and args.served_model is not None:
        raise InputError("expected --model or --served-model; received both")
    with extra():
        import uvicorn

        from aline_tf.gateway.app import create_app
        from aline_tf.gateway.operation.json_lines import JsonLines
        from aline_tf.gateway.settings import Settings

    class Announced(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            if self.started:
                print(f"gateway on http://{address}", flush=True)

    with _listening(args.host, args.port) as listener:
        host, port = listener.getsockname()[:2]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        settings = Settings(
            args.database,
            served_model=args.served_model,
            preset=args.model,
            per_minute=args.per_minute,
            origins=tuple(args.origin),
            webhook_hosts=tuple(args.webhook_host),
        )
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        logging.basicConfig(
            level=logging.WARNING if args.quiet else logging.INFO, handlers=[handler]
        )
        logging.captureWarnings(True)
        # Alembic says what it does on every start.
        logging.getLogger("alembic").setLevel(logging.WARNING)
        app = create_app(settings)
        if args.demo:
            _demonstrate(app.state.gateway, args.demo)
        if args.served_model is None:
            # One that cannot be used is known before the first request, which is no slower then.
            _ = app.state.gateway.forecasts.inference
        # uvicorn ends what it has begun, and sends itself the signal again.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        config = uvicorn.Config(
            app,
            log_config=None,  # through the handler above, like everything else
            log_level="warning",
            timeout_graceful_shutdown=5,
            ws="websockets-sansio",
            ws_max_size=settings.largest_body,
        )
        Announced(config).run([listener])
    return 0


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"expected an address that is free to listen on; received {host}:{port}"
            f" ({error.strerror or error})"
        ) from error
    return listener


def _demonstrate(service, files: list[Path]) -> None:
    """A person whose token anybody knows, and what they sent."""
    from aline_tf.gateway.storage.people import add_person, issue_token

    if service.person_of(DEMO_TOKEN) is None:
        with service.database.writing() as connection:
            person = add_person(connection, service.now(), "Europe/Berlin")
            issue_token(connection, person, "demonstration", service.now(), DEMO_TOKEN)
    person = service.person_of(DEMO_TOKEN)
    for file in files:
        service.receive(person, file.read_bytes(), None)
