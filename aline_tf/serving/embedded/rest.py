"""TensorFlow Serving's REST interface, by the HTTP server of the standard library.

    GET  /v1/models/M[/versions/V|/labels/L]            the states of its versions
    GET  /v1/models/M[/versions/V|/labels/L]/metadata   its signatures
    POST /v1/models/M[/versions/V|/labels/L]:predict    an answer

Source: https://www.tensorflow.org/tfx/serving/api_rest.
"""

from __future__ import annotations

import contextlib
import logging
import re
import select
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    predict_pb2,
)

from aline_tf.errors import InputError
from aline_tf.serving.embedded import rest_json
from aline_tf.serving.embedded.answers import Answers
from aline_tf.serving.embedded.transport import (
    REQUEST_ID,
    Call,
    RefusedError,
    answered,
    request_id,
)
from aline_tf.serving.signatures import SERVING_DEFAULT

LOG = logging.getLogger(__name__)
#: JSON takes several times its size in memory while it is read.
LARGEST_BODY = 16 << 20
#: Connections at one time; each has a thread.
_MOST_CONNECTIONS = 128
#: A connection on which nothing comes is closed, and an answer is waited for, in seconds.
_PATIENCE = 30.0
_PATH = re.compile(
    r"/v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>\d{1,18})|/labels/(?P<label>[^/:]+))?"
    r"(?P<rest>/metadata|:[a-z]+)?"
)
_HTTP = {
    grpc.StatusCode.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    grpc.StatusCode.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    grpc.StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
}


class RestServer(ThreadingHTTPServer):
    """Answers HTTP requests, each connection by a thread.

    Args:
        answers: gives the answers.
        host: address to listen on.
        port: port to listen on; 0 picks a free one.

    Attributes:
        port: that is listened on.

    Raises:
        InputError: the address cannot be listened on.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, answers: Answers, host: str, port: int):
        self.answers = answers
        self._free = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self._in_progress, self._idle = 0, threading.Condition()
        self._started = False
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise InputError(
                f"expected an address that is free to listen on; received {host}:{port}"
            ) from error
        self.port = self.server_address[1]

    def server_bind(self) -> None:
        # Without the look-up of this machine's name that http.server makes, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def start(self) -> None:
        """Answer from now on."""
        self._started = True
        threading.Thread(target=self.serve_forever, name="serve-rest", daemon=True).start()

    def stop(self, grace_seconds: float) -> None:
        """Take no new connections, and let requests in progress end.

        Args:
            grace_seconds: for them.
        """
        if self._started:
            self.shutdown()
        self.server_close()
        with self._idle:
            self._idle.wait_for(lambda: not self._in_progress, grace_seconds)

    @contextlib.contextmanager
    def in_progress(self) -> Iterator[None]:
        """Within the block a request is being answered."""
        with self._idle:
            self._in_progress += 1
        try:
            yield
        finally:
            with self._idle:
                self._in_progress -= 1
                self._idle.notify_all()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        body = rest_json.error(
            f"expected at most {_MOST_CONNECTIONS} connections; received another: ask again"
        )
        head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Length: {len(body)}\r\n"
        with contextlib.suppress(OSError):
            request.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away in the middle is no news.
        if not isinstance(sys.exception(), OSError):
            LOG.error("a connection failed", exc_info=True)


class _HttpRefusedError(RefusedError):
    """What HTTP has a status for and gRPC none."""

    def __init__(self, http: HTTPStatus, message: str):
        super().__init__(grpc.StatusCode.INVALID_ARGUMENT, message)
        self.http = http


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "aline-tf", ""
    timeout = _PATIENCE
    disable_nagle_algorithm = True
    server: RestServer

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, respond: Any) -> None:
        with self.server.in_progress():
            call = Call(
                f"{self.command} REST",
                request_id(self.headers.get(REQUEST_ID)),
                seconds_left=_PATIENCE,
                is_wanted=self._is_connected,
            )
            status = HTTPStatus.OK
            try:
                body = answered(call, lambda: self._respond(respond, call))
            except RefusedError as refused:
                status = _HTTP.get(refused.code, HTTPStatus.INTERNAL_SERVER_ERROR)
                if isinstance(refused.__cause__, _HttpRefusedError):
                    # Whatever was sent with it has not been read.
                    status, self.close_connection = refused.__cause__.http, True
                body = rest_json.error(refused.message)
            self._send(status, body, call.id)

    def _respond(self, respond: Any, call: Call) -> bytes:
        body = self._body()
        path = unquote(self.path.partition("?")[0])
        found = _PATH.fullmatch(path)
        if found is None:
            raise RefusedError(
                grpc.StatusCode.NOT_FOUND,
                "expected a path /v1/models/NAME, perhaps /versions/NUMBER or /labels/LABEL, and"
                f" /metadata or :predict; received {path[:200]!r}",
            )
        spec = model_pb2.ModelSpec(name=found["model"], version_label=found["label"] or "")
        if found["version"]:
            spec.version.value = int(found["version"])
        return respond(spec, found["rest"], body, call)

    def _get(self, spec: Any, rest: str | None, body: bytes, call: Call) -> bytes:
        if rest == "/metadata":
            request = get_model_metadata_pb2.GetModelMetadataRequest(
                model_spec=spec, metadata_field=["signature_def"]
            )
            return rest_json.metadata(self.server.answers.metadata(request, call))
        if rest is not None:
            raise _HttpRefusedError(
                HTTPStatus.METHOD_NOT_ALLOWED, f"expected POST for {rest}; received GET"
            )
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
        return rest_json.status(self.server.answers.status(request, call))

    def _post(self, spec: Any, rest: str | None, body: bytes, call: Call) -> bytes:
        if rest in (None, "/metadata"):
            raise _HttpRefusedError(
                HTTPStatus.METHOD_NOT_ALLOWED, "expected POST to NAME:predict; received no method"
            )
        if rest != ":predict":
            raise RefusedError(
                grpc.StatusCode.UNIMPLEMENTED, f"expected :predict; received {rest[:40]}"
            )
        asked = rest_json.read_predict(body)
        spec.signature_name = asked.signature
        call.model, call.signature = spec.name, asked.signature or SERVING_DEFAULT
        _, _, definition = self.server.answers.signature(spec, call)
        request = predict_pb2.PredictRequest(model_spec=spec)
        for name, tensor in rest_json.tensors(asked, definition).items():
            request.inputs[name].CopyFrom(tensor)
        response = self.server.answers.predict(request, call)
        return rest_json.predictions(response.outputs, asked.by_row)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise _HttpRefusedError(
                HTTPStatus.LENGTH_REQUIRED, "expected a Content-Length; received chunks"
            )
        if self.headers.get("Content-Encoding", "identity") != "identity":
            raise _HttpRefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected a body as it is; received it encoded"
            )
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdecimal()):
            raise _HttpRefusedError(
                HTTPStatus.BAD_REQUEST, "expected a number as Content-Length; received another text"
            )
        if int(length) > LARGEST_BODY:
            raise _HttpRefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"expected a body of at most {LARGEST_BODY} bytes; received {int(length)}",
            )
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _HttpRefusedError(
                HTTPStatus.BAD_REQUEST, f"expected {length} bytes; received {len(body)}"
            )
        return body

    def _is_connected(self) -> bool:
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return not readable or bool(self.connection.recv(1, socket.MSG_PEEK))
        except (OSError, ValueError):
            return False

    def _send(self, status: HTTPStatus, body: bytes, call_id: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header(REQUEST_ID, call_id)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no HTTP is refused in JSON too."""
        self.close_connection = True
        text = f"expected HTTP with GET or POST; received {message or HTTPStatus(code).phrase}"
        self._send(HTTPStatus(code), rest_json.error(text), "-")

    def log_message(self, format: str, *args: Any) -> None:
        """The one line of a request is written elsewhere."""
