"""`aline-tf serve`: SavedModels over gRPC, without Docker."""

import argparse
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `aline-tf serve`."""
    parser.add_argument(
        "--model-base-path",
        required=True,
        type=Path,
        metavar="DIR",
        help="directory of models: <name>/<version number>/saved_model.pb",
    )
    parser.add_argument(
        "--model-config-file",
        type=Path,
        metavar="FILE",
        help="labels and version policies (default: models.config in that directory, if there)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, this machine only)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=8500,
        help="port to listen on; 0 picks a free one and prints it (default: %(default)s)",
    )
    parser.add_argument(
        "--workers",
        type=_positive,
        default=8,
        help="requests answered at the same time (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="log errors only")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; the line with the address is printed once it answers."""
    # Asked for before the models load, so that a stop during a slow load is not lost.
    with _stop_signal() as asked_to_stop:
        logging.basicConfig(
            stream=sys.stderr,
            level=logging.ERROR if args.quiet else logging.INFO,
            format="%(asctime)s %(levelname)s %(name)s %(message)s",
        )

        from aline_tf.serving.repository import ModelRepository
        from aline_tf.serving.server import Server

        repository = ModelRepository(args.model_base_path, args.model_config_file)
        server = Server(repository, args.host, args.port, workers=args.workers)
        with server:
            print(f"serving {', '.join(repository.names)} on {server.target}", flush=True)
            asked_to_stop.recv(1)
            print("stopping", flush=True)
    return 0


@contextlib.contextmanager
def _stop_signal() -> Iterator[socket.socket]:
    """A socket that has something to read once SIGTERM or SIGINT has come.

    The system may hand the signal to any thread, of gRPC or TensorFlow too. A lock on which the
    main thread waits would then sleep on; a socket wakes it.
    """
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        wakeup = signal.set_wakeup_fd(writer.fileno())
        # Python writes to the socket only for signals that have a handler of its own.
        handlers = [signal.signal(number, lambda *_: None) for number in _STOP_SIGNALS]
        try:
            yield reader
        finally:
            for number, handler in zip(_STOP_SIGNALS, handlers, strict=True):
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535; received {text!r}")
    return port


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1; received {text!r}")
    return number
