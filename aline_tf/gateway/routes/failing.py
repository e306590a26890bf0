"""What each error of the service is in HTTP; the sentence says what was expected."""

from __future__ import annotations

from fastapi import HTTPException
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from aline_tf.errors import InputError
from aline_tf.gateway.failures import Busy, ModelAway, NothingRecorded
from aline_tf.gateway.intake.bodies import TooLarge
from aline_tf.gateway.routes.access import unauthorized
from aline_tf.gateway.storage.payloads import ClientIdTaken, PersonErased

Failure = tuple[int, str, dict[str, str]]
#: Error -> status and headers; what it says is its message.
_SAID: dict[type[Exception], tuple[int, dict[str, str]]] = {
    InputError: (422, {}),
    TooLarge: (413, {}),
    NothingRecorded: (404, {}),
    ModelAway: (503, {"Retry-After": "10"}),
    Busy: (503, {"Retry-After": "10"}),
}
#: The database is locked, full or away, and everybody waits for the connections that there are.
_DATABASE = (OperationalError, InterfaceError, NoConnection)
KNOWN = (*_SAID, ClientIdTaken, PersonErased, *_DATABASE)


def failure(error: Exception) -> Failure:
    """Status, sentence and headers of an error.

    Raises:
        Exception: the error itself, where it is none of `KNOWN` and no HTTPException.
    """
    for kind, (status, headers) in _SAID.items():
        if isinstance(error, kind):
            return status, str(error), headers
    if isinstance(error, ClientIdTaken):
        taken = "expected the content that had this Idempotency-Key before; received another"
        return 409, taken, {}
    if isinstance(error, _DATABASE):
        return 503, "expected the database to answer; it does not", {"Retry-After": "5"}
    if isinstance(error, PersonErased):
        error = unauthorized()
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail), dict(error.headers or {})
    raise error
