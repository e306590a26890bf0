"""Who asks: the person of a token."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from aline_tf.gateway.service import Gateway
from aline_tf.gateway.storage.people import Person

_BEARER = HTTPBearer(auto_error=False, description="the token of a person")


def gateway_of(request: Request) -> Gateway:
    """The service behind the application."""
    return request.app.state.gateway


Service = Annotated[Gateway, Depends(gateway_of)]


def person_of(
    service: Service,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Person:
    """The person whose token came with the request.

    Raises:
        HTTPException: 401, without a token or with one that does not count.
    """
    person = None if credentials is None else service.person_of(credentials.credentials)
    if person is None:
        raise unauthorized()
    return person


def unauthorized() -> HTTPException:
    """401; it does not tell what is wrong with a token."""
    return HTTPException(
        401,
        "expected Authorization: Bearer with the token of a person; received none that counts",
        {"WWW-Authenticate": "Bearer"},
    )


Asking = Annotated[Person, Depends(person_of)]
