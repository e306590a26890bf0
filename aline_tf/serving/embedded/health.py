"""The standard gRPC health check (grpc.health.v1.Health/Check), without a dependency for it.

Its two messages have one field each, so they are encoded here:
HealthCheckRequest {string service = 1}, HealthCheckResponse {ServingStatus status = 1}.
"""

from collections.abc import Callable

import grpc

SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"
SERVICES = (
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
)


def add_health_service(server: grpc.Server, is_ready: Callable[[], bool]) -> None:
    """Let `server` answer health checks of itself (an empty name) and of its services.

    Args:
        server: the gRPC server.
        is_ready: True while requests are answered.
    """

    def check(request: bytes, context: grpc.ServicerContext) -> bytes:
        service = _service(request)
        if service is None or (service and service not in SERVICES):
            context.abort(
                grpc.StatusCode.NOT_FOUND,
                f"expected no service name or one of {', '.join(SERVICES)}; received another",
            )
        return SERVING if is_ready() else NOT_SERVING

    # Neither a deserializer nor a serializer: the messages arrive and leave as bytes.
    handlers = {"Check": grpc.unary_unary_rpc_method_handler(check)}
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("grpc.health.v1.Health", handlers),)
    )


def _service(request: bytes) -> str | None:
    """The service a HealthCheckRequest names, "" for the server, None if it cannot be read."""
    if not request:
        return ""
    # Field 1, length-delimited, with a length of one byte: every name we know is shorter than 128.
    if len(request) >= 2 and request[0] == 0x0A and request[1] == len(request) - 2:
        return request[2:].decode("utf-8", errors="replace")
    return None
