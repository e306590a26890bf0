"""The embedded server: TensorFlow Serving's gRPC services and REST interface, without Docker.

It answers PredictionService (Predict, GetModelMetadata), ModelService (GetModelStatus), the
standard gRPC health check, and the same over HTTP, so that every client of TensorFlow Serving can
be used. It is meant for one machine: it listens on loopback unless told otherwise, without
encryption and without authentication.

A client may choose the id of a request by the metadata key or header `x-request-id`; every answer
returns it.
"""

from __future__ import annotations

import logging
import threading
from concurrent import futures

import grpc

from aline_tf.errors import InputError
from aline_tf.serving.embedded.answers import Answers
from aline_tf.serving.embedded.grpc_services import add_handlers, add_services, light
from aline_tf.serving.embedded.health import health_check
from aline_tf.serving.embedded.repository import ModelRepository
from aline_tf.serving.embedded.rest import RestServer
from aline_tf.serving.embedded.work_queue import QueueSettings
from aline_tf.serving.xla.programs import MOST, Programs

LOG = logging.getLogger(__name__)
LARGEST_REQUEST = 64 << 20
#: Calls at one time, of which most wait: beyond, gRPC itself refuses.
_MOST_CALLS = 1024
#: Threads that are free to refuse a call when all others wait.
_SPARE_THREADS = 8


class Server:
    """A server over a repository; a context manager that stops it.

    Args:
        repository: the models.
        host: address to listen on.
        port: port of gRPC to listen on; 0 picks a free one.
        rest_port: port of REST; 0 picks a free one, None is without.
        queue: how many passes through models run and wait at the same time, and whether passes that
            wait are merged.
        poll_seconds: how often the repository is read again for new versions; 0 for never.
        warm_up: run the signature that is asked most before a version is served.
        programs: how many sizes of requests are compiled at most, once they are asked for often; 0
            for none. Each takes about 20 MB for as long as the process lives.

    Attributes:
        port, rest_port: the ports, known after `listen`.

    Example:
        >>> import tempfile
        >>> import tensorflow as tf
        >>> from aline_tf.serving import Client, ModelRepository, Server
        >>> class Twice(tf.Module):
        ...     @tf.function(input_signature=[tf.TensorSpec([None], name="x")])
        ...     def twice(self, x):
        ...         return {"y": 2 * x}
        >>> with tempfile.TemporaryDirectory() as base:
        ...     module = Twice()
        ...     tf.saved_model.save(module, f"{base}/twice/1", signatures={"twice": module.twice})
        ...     with Server(ModelRepository(base), port=0) as server:
        ...         with Client(server.target, "twice") as client:
        ...             print(client.status())
        {1: {'state': 'AVAILABLE', 'error': ''}}
    """

    def __init__(
        self,
        repository: ModelRepository,
        host: str = "127.0.0.1",
        port: int = 8500,
        *,
        rest_port: int | None = None,
        queue: QueueSettings | None = None,
        poll_seconds: float = 2.0,
        warm_up: bool = True,
        programs: int = MOST,
    ):
        self.repository, self.host, self.port = repository, host, port
        self.rest_port = rest_port
        self._poll_seconds, self._warm_up = poll_seconds, warm_up
        self._stopping, self._ready = threading.Event(), False
        self._poller: threading.Thread | None = None
        queue = queue or QueueSettings()
        self._answers = Answers(repository, queue, Programs(programs))
        self._rest: RestServer | None = None
        # Calls wait in threads; those beyond the queue's capacity are refused by it at once.
        self._threads = futures.ThreadPoolExecutor(
            queue.workers + queue.capacity + _SPARE_THREADS, thread_name_prefix="serve-call"
        )
        self._server = grpc.server(
            self._threads,
            maximum_concurrent_rpcs=_MOST_CALLS,
            # Without the first two servers may share a port in silence and split its requests.
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", LARGEST_REQUEST),
                ("grpc.max_send_message_length", -1),
            ],
        )
        self._light_threads = add_services(self._server, self._answers)
        check = health_check(lambda: self._ready and not self._stopping.is_set())
        add_handlers(
            self._server, "grpc.health.v1.Health", {"Check": light(check, self._light_threads)}
        )

    @property
    def target(self) -> str:
        """What a client connects to: "host:port"."""
        return self._target(self.port)

    @property
    def rest_target(self) -> str:
        """The same of REST."""
        return self._target(self.rest_port)

    def _target(self, port: int | None) -> str:
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    def start(self) -> int:
        """Take the ports, load every version, and return the port of gRPC.

        From the first moment requests are answered: while nothing is loaded by saying so.

        Raises:
            InputError: a port cannot be listened on, or no model can be loaded.
        """
        self.listen()
        try:
            self.load()
        except BaseException:
            self.stop(0)
            raise
        return self.port

    def listen(self) -> None:
        """Take the ports and answer; the first half of `start`.

        Raises:
            InputError: a port cannot be listened on.
        """
        try:
            port = self._server.add_insecure_port(self.target)
        except RuntimeError:
            port = 0
        if port == 0:
            raise InputError(
                f"expected an address that is free to listen on; received {self.target}"
            )
        self.port = port
        if self.rest_port is not None:
            self._rest = RestServer(self._answers, self.host, self.rest_port)
            self.rest_port = self._rest.port
            self._rest.start()
        self._server.start()

    def load(self) -> None:
        """Load every version, then say that requests are served; the second half of `start`.

        Raises:
            InputError: no model can be loaded.
        """
        self.repository.load(self._warm_up, self._stopping.is_set)
        if self._stopping.is_set():
            return
        if not self.repository.available:
            raise InputError(
                f"expected a model that can be loaded in {self.repository.base_path}; received"
                f" {self._why_none()}"
            )
        self._ready = True
        if self._poll_seconds > 0:
            self._poller = threading.Thread(target=self._poll, name="serve-poll", daemon=True)
            self._poller.start()

    def _why_none(self) -> str:
        names = self.repository.names
        versions = [self.repository.find(name) for name in names]
        return ", ".join(
            f"{name} version {version.number} ({version.error})"
            for name, version in zip(names, versions, strict=True)
        )

    def stop(self, grace_seconds: float = 5.0) -> None:
        """Refuse new requests, let those in progress end, and return when all is stopped.

        Args:
            grace_seconds: for those in progress; what takes longer is not waited for.
        """
        self._stopping.set()
        ended = self._server.stop(grace_seconds)
        if self._rest is not None:
            self._rest.stop(grace_seconds)
        ended.wait(grace_seconds)
        self._answers.stop()
        for threads in (self._threads, self._light_threads):
            threads.shutdown(wait=False)
        if self._poller is not None:
            self._poller.join(timeout=grace_seconds)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _poll(self) -> None:
        last = ""
        while not self._stopping.wait(self._poll_seconds):
            try:
                self.repository.refresh()
                last = ""
            except (InputError, OSError) as error:
                # Once, not every two seconds for as long as it lasts.
                if str(error) != last:
                    LOG.error("the models could not be read again: %s", error)
                last = str(error)
            self.repository.load(self._warm_up, self._stopping.is_set)
