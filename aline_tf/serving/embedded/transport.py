"""What both ways in share: an id, one line in the log, and a status for whatever goes wrong.

Lines carry a request id, the model, the signature, shapes, the time taken and the status: never a
value.
"""

from __future__ import annotations

import dataclasses
import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import grpc
import tensorflow as tf

from aline_tf.errors import InputError
from aline_tf.serving.embedded.requests import quoted
from aline_tf.serving.embedded.versions import NotFoundError, NotLoadedError
from aline_tf.serving.embedded.work_queue import AbandonedError, QueueFullError, StoppedError

LOG = logging.getLogger(__name__)
REQUEST_ID = "x-request-id"
_REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9._:/+=-]{1,64}")
#: How TensorFlow shows the sentence of an assertion in a graph.
_REFUSAL = re.compile(r"assertion failed: \[(expected .*)\]$", re.MULTILINE)
_STATUS = grpc.StatusCode


class RefusedError(Exception):
    """Why there is no answer: a status and one sentence.

    Attributes:
        code, message: the two.
        is_final: whether it would be refused again, whatever the code says.
    """

    def __init__(self, code: grpc.StatusCode, message: str, is_final: bool = False):
        super().__init__(message)
        self.code, self.message, self.is_final = code, message, is_final


@dataclasses.dataclass
class Call:
    """One request on its way.

    Attributes:
        method: its name.
        id: of the request.
        seconds_left: until nobody waits for the answer any more; None for ever.
        is_wanted: whether somebody still waits.
        when_left: is given a function to be called when nobody does.
        model, signature, version, shapes: for the log, filled in as they become known.
    """

    method: str
    id: str
    seconds_left: float | None = None
    is_wanted: Callable[[], bool] = lambda: True
    when_left: Callable[[Callable[[], None]], Any] = lambda leave: None
    model: str = ""
    signature: str | None = None
    version: Any = None
    shapes: dict[str, list[int]] | None = None


def request_id(asked: object) -> str:
    """The client's id if it is short and safe to print, otherwise a new one."""
    if isinstance(asked, str) and _REQUEST_ID_FORM.fullmatch(asked):
        return asked
    return uuid.uuid4().hex[:16]


def answered(call: Call, answer: Callable[[], Any]) -> Any:
    """What `answer` gives; one line in the log.

    Args:
        call: the request.
        answer: gives the response.

    Raises:
        RefusedError: it raised something.
    """
    code, message, started = _STATUS.OK, "", time.monotonic()
    try:
        return answer()
    except Exception as error:
        code, message = _status(error, call)
        is_final = isinstance(error, tf.errors.ResourceExhaustedError | MemoryError)
        raise RefusedError(code, message, is_final) from error
    finally:
        LOG.info(
            "id=%s method=%s model=%s version=%s signature=%s shapes=%s ms=%.1f status=%s",
            call.id,
            call.method,
            quoted([call.model]),
            call.version,
            None if call.signature is None else quoted([call.signature]),
            call.shapes,
            1000 * (time.monotonic() - started),
            code.name,
        )


def _status(error: Exception, call: Call) -> tuple[grpc.StatusCode, str]:
    if isinstance(error, RefusedError):
        return error.code, error.message
    if isinstance(error, NotFoundError):
        return _STATUS.NOT_FOUND, str(error)
    if isinstance(error, NotLoadedError | StoppedError):
        return _STATUS.UNAVAILABLE, str(error)
    if isinstance(error, InputError | tf.errors.InvalidArgumentError):
        return _STATUS.INVALID_ARGUMENT, _without_trace(error)
    if isinstance(error, QueueFullError):
        return _STATUS.RESOURCE_EXHAUSTED, str(error)
    if isinstance(error, AbandonedError):
        return _STATUS.DEADLINE_EXCEEDED, str(error)
    if isinstance(error, tf.errors.ResourceExhaustedError | MemoryError):
        return (
            _STATUS.RESOURCE_EXHAUSTED,
            "expected a smaller request; received one that does not fit into memory",
        )
    LOG.error("id=%s method=%s failed", call.id, call.method, exc_info=error)
    return _STATUS.INTERNAL, f"the model failed; request id {call.id}"


def _without_trace(error: Exception) -> str:
    """The message of an error; of TensorFlow's own, only what the graph's assertion says."""
    text = error.message if isinstance(error, tf.errors.OpError) else str(error)
    refusal = _REFUSAL.search(text)
    if refusal:
        return refusal[1][:2000]
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and "[[{{" not in line and "stack traces" not in line]
    return " ".join(kept)[:2000]
