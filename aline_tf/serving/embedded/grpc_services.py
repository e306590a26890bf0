"""The gRPC services of TensorFlow Serving, and the standard health check beside them.

Messages come in as bytes and are parsed here, so that what is no message is refused in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from aline_tf.errors import InputError
from aline_tf.serving.calls.retry import PUSHBACK
from aline_tf.serving.embedded.answers import Answers
from aline_tf.serving.embedded.transport import (
    REQUEST_ID,
    Call,
    RefusedError,
    answered,
    request_id,
)
from aline_tf.serving.signatures import SERVING_DEFAULT

#: Threads that answer what costs nothing, so that it never waits behind a pass through a model.
_LIGHT_THREADS = 4

Handler = Callable[[bytes, grpc.ServicerContext], bytes]


def add_services(server: grpc.Server, answers: Answers) -> futures.ThreadPoolExecutor:
    """Let `server` answer Predict, GetModelMetadata and GetModelStatus; the other methods of these
    services answer UNIMPLEMENTED.

    Args:
        server: the gRPC server.
        answers: gives the answers.

    Returns:
        The threads of what costs nothing, for `light`.
    """
    threads = futures.ThreadPoolExecutor(_LIGHT_THREADS, thread_name_prefix="serve-light")
    predict = _handler("Predict", predict_pb2.PredictRequest, answers.predict)
    metadata = _handler(
        "GetModelMetadata", get_model_metadata_pb2.GetModelMetadataRequest, answers.metadata
    )
    status = _handler("GetModelStatus", get_model_status_pb2.GetModelStatusRequest, answers.status)
    add_handlers(
        server,
        "tensorflow.serving.PredictionService",
        {"Predict": predict, "GetModelMetadata": light(metadata, threads)},
    )
    add_handlers(
        server, "tensorflow.serving.ModelService", {"GetModelStatus": light(status, threads)}
    )
    return threads


def add_handlers(server: grpc.Server, service: str, handlers: dict[str, Handler]) -> None:
    """Let `server` answer the methods of a service, from bytes to bytes.

    Args:
        server: the gRPC server.
        service: its full name.
        handlers: method -> handler.
    """
    methods = {
        name: grpc.unary_unary_rpc_method_handler(handler) for name, handler in handlers.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))


def light(handler: Handler, threads: futures.ThreadPoolExecutor) -> Handler:
    """The handler, to be run by threads of its own.

    Args:
        handler: of a method.
        threads: where gRPC knows no pools by handler, the server's are used.
    """
    handler.experimental_thread_pool = threads  # gRPC's name for it
    return handler


def _handler(method: str, kind: Any, answer: Callable[[Any, Call], Any]) -> Handler:
    def handle(data: bytes, context: grpc.ServicerContext) -> bytes:
        asked = dict(context.invocation_metadata()).get(REQUEST_ID)
        call = Call(
            method,
            request_id(asked),
            seconds_left=context.time_remaining(),
            is_wanted=context.is_active,
            when_left=context.add_callback,
            signature=SERVING_DEFAULT if method == "Predict" else None,
        )
        context.set_trailing_metadata(((REQUEST_ID, call.id),))
        try:
            return answered(call, lambda: answer(_parsed(kind, data), call)).SerializeToString()
        except RefusedError as refused:
            if refused.is_final:
                context.set_trailing_metadata(((REQUEST_ID, call.id), (PUSHBACK, "-1")))
            context.abort(refused.code, refused.message)

    return handle


def _parsed(kind: Any, data: bytes) -> Any:
    try:
        return kind.FromString(data)
    except DecodeError:
        raise InputError(
            f"expected a {kind.DESCRIPTOR.name}; received {len(data)} bytes that are none"
        ) from None
