"""The embedded server: TensorFlow Serving's gRPC services over `tf.saved_model.load`.

It answers PredictionService (Predict, GetModelMetadata), ModelService (GetModelStatus) and the
standard gRPC health check, so that every client of TensorFlow Serving can be used without Docker.
It is meant for one machine: it listens on loopback unless told otherwise, without encryption and
without authentication.

Logs carry a request id, the model, the signature, shapes, the time taken and the status: never a
value. A client may choose the id by the metadata key `x-request-id`; every answer returns it.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import uuid
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from aline_tf.errors import InputError
from aline_tf.serving.embedded.health import add_health_service
from aline_tf.serving.embedded.repository import ModelRepository
from aline_tf.serving.embedded.requests import (
    decode_inputs,
    encode_output,
    quoted,
    selected_outputs,
)
from aline_tf.serving.embedded.versions import NotFoundError, NotLoadedError
from aline_tf.serving.signatures import SERVING_DEFAULT

LOG = logging.getLogger(__name__)
REQUEST_ID = "x-request-id"
_REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9._:/+=-]{1,64}")
LARGEST_REQUEST = 64 << 20
#: How TensorFlow shows the sentence of an assertion in a graph.
_REFUSAL = re.compile(r"assertion failed: \[(expected .*)\]$", re.MULTILINE)
_STATES = get_model_status_pb2.ModelVersionStatus


class Server:
    """A gRPC server over a repository; a context manager that stops it.

    Args:
        repository: the models.
        host: address to listen on.
        port: port to listen on; 0 picks a free one.
        workers: requests answered at the same time.
        poll_seconds: how often the repository is read again for new versions; 0 for never.
        warm_up: run the signatures that are asked most once before a version is served.

    Attributes:
        port: the port, known after `start`.

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
        workers: int = 8,
        poll_seconds: float = 2.0,
        warm_up: bool = True,
    ):
        self.repository, self.host, self.port = repository, host, port
        self._poll_seconds, self._warm_up = poll_seconds, warm_up
        self._stopping, self._ready = threading.Event(), False
        self._poller: threading.Thread | None = None
        self._server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=workers, thread_name_prefix="serve"),
            # Without this two servers may share a port in silence and split its requests.
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", LARGEST_REQUEST),
                ("grpc.max_send_message_length", -1),
            ],
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(repository), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(repository), self._server
        )
        add_health_service(self._server, lambda: self._ready and not self._stopping.is_set())

    @property
    def target(self) -> str:
        """What a client connects to: "host:port"."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def start(self) -> int:
        """Take the port, load every version, and return the port.

        From the first moment requests are answered: while nothing is loaded by saying so.

        Raises:
            InputError: the port cannot be listened on, or no model can be loaded.
        """
        self.listen()
        try:
            self.load()
        except BaseException:
            self.stop(0)
            raise
        return self.port

    def listen(self) -> None:
        """Take the port and answer; the first half of `start`.

        Raises:
            InputError: the port cannot be listened on.
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
        """Refuse new requests, let those in progress end, and return when all is stopped."""
        self._stopping.set()
        self._server.stop(grace_seconds).wait()
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


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the other methods answer UNIMPLEMENTED."""

    def __init__(self, repository: ModelRepository):
        self._repository = repository

    def Predict(self, request, context):
        return _answered("Predict", self._predict, request, context)

    def GetModelMetadata(self, request, context):
        return _answered("GetModelMetadata", self._metadata, request, context)

    def _predict(self, request, note: dict[str, Any]):
        version = _find(self._repository, request.model_spec)
        note["version"] = version.number
        loaded = version.loaded
        name = request.model_spec.signature_name or SERVING_DEFAULT
        definition = loaded.definitions.get(name)
        if definition is None:
            raise InputError(
                f"expected a signature of {', '.join(sorted(loaded.definitions))}; received"
                f" {quoted([name])}"
            )
        selected = selected_outputs(list(request.output_filter), definition.outputs)
        arrays = decode_inputs(
            request.inputs, definition.inputs, definition.defaults, loaded.limits
        )
        note["shapes"] = {key: list(array.shape) for key, array in sorted(arrays.items())}
        outputs = loaded.functions[name](
            **{
                key: tf.constant(array, dtype=tf.as_dtype(definition.inputs[key].dtype))
                for key, array in arrays.items()
            }
        )
        response = predict_pb2.PredictResponse()
        _fill_spec(response.model_spec, request.model_spec.name, version.number, name)
        for key in selected:
            response.outputs[key].CopyFrom(encode_output(outputs[key].numpy()))
        return response

    def _metadata(self, request, note: dict[str, Any]):
        fields = list(request.metadata_field)
        if not fields or any(field != "signature_def" for field in fields):
            raise InputError(
                f"expected metadata_field signature_def; received {quoted(fields) or 'none'}"
            )
        version = _find(self._repository, request.model_spec)
        note["version"] = version.number
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in version.loaded.definitions.items():
            signatures.signature_def[name].CopyFrom(definition)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _fill_spec(response.model_spec, request.model_spec.name, version.number)
        response.metadata["signature_def"].Pack(signatures)
        return response


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; reloading by request answers UNIMPLEMENTED (the directory is polled)."""

    def __init__(self, repository: ModelRepository):
        self._repository = repository

    def GetModelStatus(self, request, context):
        return _answered("GetModelStatus", self._status, request, context)

    def _status(self, request, note: dict[str, Any]):
        spec = request.model_spec
        if _chosen(spec) == (None, None):
            versions = sorted(self._repository.versions(spec.name).items(), reverse=True)
        else:
            version = _find(self._repository, spec)
            versions = [(version.number, version)]
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, version in versions:
            status = response.model_version_status.add(version=number)
            status.state = _STATES.State.Value(version.state)
            if version.error:
                status.status.error_code = grpc.StatusCode.INTERNAL.value[0]
                status.status.error_message = version.error
        note["version"] = [number for number, _ in versions]
        return response


def _chosen(spec) -> tuple[int | None, str | None]:
    """The version number and the label a ModelSpec names; 0, the number of "any", is no choice."""
    number = spec.version.value if spec.HasField("version") else None
    return number or None, spec.version_label or None


def _find(repository: ModelRepository, spec):
    number = spec.version.value if spec.HasField("version") else None
    return repository.find(spec.name, number, spec.version_label or None)


def _fill_spec(spec, name: str, version: int, signature: str = "") -> None:
    spec.name, spec.signature_name = name, signature
    spec.version.value = version


def _answered(method: str, answer: Callable[[Any, dict], Any], request: Any, context: Any) -> Any:
    """Run `answer`, turn what it raises into a gRPC status, and log one line."""
    request_id = _request_id(context)
    context.set_trailing_metadata(((REQUEST_ID, request_id),))
    spec = request.model_spec
    note: dict[str, Any] = {"version": None, "shapes": None}
    code, message, started = grpc.StatusCode.OK, "", time.monotonic()
    try:
        return answer(request, note)
    except NotFoundError as error:
        code, message = grpc.StatusCode.NOT_FOUND, str(error)
    except NotLoadedError as error:
        code, message = grpc.StatusCode.UNAVAILABLE, str(error)
    except (InputError, tf.errors.InvalidArgumentError) as error:
        code, message = grpc.StatusCode.INVALID_ARGUMENT, _without_trace(error)
    except tf.errors.ResourceExhaustedError:
        code = grpc.StatusCode.RESOURCE_EXHAUSTED
        message = "expected a smaller request; received one that does not fit into memory"
    except Exception:
        LOG.exception("id=%s method=%s failed", request_id, method)
        code, message = grpc.StatusCode.INTERNAL, f"the model failed; request id {request_id}"
    finally:
        LOG.info(
            "id=%s method=%s model=%s version=%s signature=%s shapes=%s ms=%.1f status=%s",
            request_id,
            method,
            quoted([spec.name]),
            note["version"],
            quoted([spec.signature_name or SERVING_DEFAULT]) if method == "Predict" else None,
            note["shapes"],
            1000 * (time.monotonic() - started),
            code.name,
        )
    context.abort(code, message)


def _without_trace(error: Exception) -> str:
    """The message of an error; of TensorFlow's own, only what the graph's assertion says."""
    text = error.message if isinstance(error, tf.errors.OpError) else str(error)
    refusal = _REFUSAL.search(text)
    if refusal:
        return refusal[1][:2000]
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and "[[{{" not in line and "stack traces" not in line]
    return " ".join(kept)[:2000]


def _request_id(context: Any) -> str:
    """The client's id if it is short and safe to print, otherwise a new one."""
    for key, value in context.invocation_metadata():
        if key == REQUEST_ID and isinstance(value, str) and _REQUEST_ID_FORM.fullmatch(value):
            return value
    return uuid.uuid4().hex[:16]
