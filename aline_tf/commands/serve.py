"""`aline-tf serve`: SavedModels over gRPC and REST, without Docker.

Without --model-base-path the models of the package are served; they are exported once into a cache
directory.
"""

import argparse
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from aline_tf.commands.listening import add_address, port_number
from aline_tf.errors import InputError
from aline_tf.runtime.without_keras import without_keras

if TYPE_CHECKING:
    from aline_tf.serving.embedded.server import Server

LOG = logging.getLogger(__name__)
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: What the socket of signals gives when none has come: the server has started, or failed to.
_STARTED = b"\0"
#: For requests in progress after a stop; the process ends within five seconds.
_GRACE_SECONDS = 4.0


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
    add_address(parser, port=8500)
    parser.add_argument(
        "--rest-port",
        type=_port_or_none,
        metavar="PORT",
        help="port of the REST interface, or none (default: the one after --port, a free one where"
        " that is 0)",
    )
    parser.add_argument(
        "--workers",
        type=_positive,
        help="passes through models that run at the same time (default: one for each processor, at"
        " least 2)",
    )
    parser.add_argument(
        "--no-batching",
        action="store_true",
        help="run every request alone, also where several wait that could be one pass",
    )
    parser.add_argument(
        "--no-xla",
        action="store_true",
        help="run the graphs as they are stored; without it XLA compiles the sizes of request that"
        " are asked for again and again, at most 12, in the background: seconds and about 20 MB"
        " for each, and then twice as fast",
    )
    parser.add_argument("--quiet", action="store_true", help="log errors only")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; the line with the address is printed once it answers."""
    started = time.monotonic()
    for port in (args.port, _rest_port(args)):
        if port is not None:
            _check_free(args.host, port)
    base_path, names = _served(args)
    # Asked for before anything slow, so that a stop at any time is heard at once.
    with _stop_signal() as (stop_socket, wake):
        logging.basicConfig(
            stream=sys.stderr,
            level=logging.ERROR if args.quiet else logging.INFO,
            format="%(asctime)s %(levelname)s %(name)s %(message)s",
        )
        serving = _Serving(args, base_path, names, wake)
        LOG.info("starting with the models of %s", base_path)
        serving.start()
        if stop_socket.recv(1) == _STARTED:
            if serving.failure is not None:
                raise serving.failure
            server = serving.server
            print(f"serving {', '.join(server.repository.available)} on {server.target}")
            if server.rest_port is not None:
                print(f"REST at http://{server.rest_target}/v1/models/NAME")
            print(f"ready after {time.monotonic() - started:.1f} s", flush=True)
            stop_socket.recv(1)
        print("stopping", flush=True)
        serving.stop()
    return 0


class _Serving(threading.Thread):
    """Starts the server beside the main thread, which has to hear signals: an import of TensorFlow
    or the loading of a model lets none through for seconds."""

    def __init__(self, args, base_path: Path, names: list[str] | None, wake: socket.socket):
        super().__init__(name="serve-start", daemon=True)
        self._args, self._base_path, self._names, self._wake = args, base_path, names, wake
        self.server: Server | None = None
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with without_keras():
                from aline_tf.serving.embedded.repository import ModelRepository
                from aline_tf.serving.embedded.server import Server
                from aline_tf.serving.embedded.work_queue import QueueSettings
                from aline_tf.serving.xla.programs import MOST

            args = self._args
            repository = ModelRepository(self._base_path, args.model_config_file, names=self._names)
            queue = QueueSettings(
                workers=args.workers or QueueSettings().workers,
                most_rows=1 if args.no_batching else QueueSettings().most_rows,
            )
            self.server = Server(
                repository,
                args.host,
                args.port,
                rest_port=_rest_port(args),
                queue=queue,
                programs=0 if args.no_xla else MOST,
            )
            self.server.start()
            # What is there by now stays. A collection that looked through all of it, again and
            # again, would let requests wait meanwhile.
            gc.collect()
            gc.freeze()
        except BaseException as failure:
            self.failure = failure
        # Where a stop came first, nobody listens any more.
        with contextlib.suppress(OSError):
            self._wake.send(_STARTED)

    def stop(self) -> None:
        """Lets requests in progress end, and then the process, whatever still runs: neither an
        import nor a pass through a large graph can be interrupted."""
        if self.server is not None:
            self.server.stop(_GRACE_SECONDS)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


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


def _check_free(host: str, port: int) -> None:
    """Refuses a port that is taken at once, not after seconds of loading."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(found[0][0], socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(found[0][4])
    except OSError as error:
        raise InputError(
            f"expected an address that is free to listen on; received {host}:{port}"
            f" ({error.strerror})"
        ) from error


@contextlib.contextmanager
def _stop_signal() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A socket that has something to read once SIGTERM or SIGINT has come, and its other end.

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
            yield reader, writer
        finally:
            for number, handler in zip(_STOP_SIGNALS, handlers, strict=True):
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)


def _port_or_none(text: str) -> int | str:
    return text if text == "none" else port_number(text)


def _rest_port(args: argparse.Namespace) -> int | None:
    if args.rest_port == "none":
        return None
    if args.rest_port is not None:
        return args.rest_port
    return (args.port + 1) % 65536 if args.port else 0


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1; received {text!r}")
    return number
