"""`aline-tf serve`: SavedModels over gRPC, without Docker.

Without --model-base-path the models of the package are served; they are exported once into a cache
directory.
"""

import argparse
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from aline_tf.errors import InputError

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `aline-tf serve`."""
    parser.add_argument(
        "--model-base-path",
        type=Path,
        metavar="DIR",
        help="directory of models, <name>/<version number>/saved_model.pb (default: the models of"
        " the package, exported once into the cache)",
    )
    parser.add_argument(
        "--models",
        nargs="+",
        metavar="NAME",
        help="serve these models alone (default: all)",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="where the models of the package are exported to (default:"
        " XDG_CACHE_HOME/aline_tf/<version>/savedmodels, or the same in ~/.cache)",
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
    base_path, names = _served(args)
    # Asked for before the models load, so that a stop during a slow load is not lost.
    with _stop_signal() as stop_socket:
        logging.basicConfig(
            stream=sys.stderr,
            level=logging.ERROR if args.quiet else logging.INFO,
            format="%(asctime)s %(levelname)s %(name)s %(message)s",
        )

        from aline_tf.serving.embedded.repository import ModelRepository
        from aline_tf.serving.embedded.server import Server

        repository = ModelRepository(base_path, args.model_config_file, names=names)
        server = Server(repository, args.host, args.port, workers=args.workers)
        with server:
            print(f"serving {', '.join(repository.names)} on {server.target}", flush=True)
            stop_socket.recv(1)
            print("stopping", flush=True)
    return 0


def _served(args: argparse.Namespace) -> tuple[Path, list[str] | None]:
    """The directory of models, the cache once all are exported to it, and whom of it to serve."""
    if args.model_base_path is not None:
        if args.cache is not None:
            raise InputError("expected --model-base-path or --cache; received both")
        return args.model_base_path, args.models

    from aline_tf.models.packaged_presets import packaged_presets
    from aline_tf.serving.preset_exports import export_presets

    names = args.models or list(packaged_presets())
    # A stop in the middle of an export takes its half-written files along.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return export_presets(names, args.cache, report=partial(print, flush=True)), names
    finally:
        signal.signal(signal.SIGTERM, before)


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
