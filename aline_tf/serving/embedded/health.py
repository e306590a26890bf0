"""The standard gRPC health check (grpc.health.v1.Health/Check), without a dependency for it.

Its two messages have one field each, so they are encoded here:
HealthCheckRequest {string service = 1}, HealthCheckResponse {ServingStatus status = 1}.
"""

from collections.abc import Callable

import grpc

SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"
#: Services by the names under which TensorFlow Serving reports their health, and by their own.
SERVICES = (
    "PredictionService",
    "ModelService",
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
)


def health_check(is_ready: Callable[[], bool]) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    """The handler of health checks of the server (an empty name) and of its services.

    Args:
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

    return check


def _service(request: bytes) -> str | None:
    """The service a HealthCheckRequest names, "" for the server, None if it cannot be read."""
    if not request:
        return ""
    # Field 1, length-delimited, with a length of one byte: every name we know is shorter than 128.
    if len(request) >= 2 and request[0] == 0x0A and request[1] == len(request) - 2:
        return request[2:].decode("utf-8", errors="replace")
    return None
