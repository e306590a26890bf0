"""Who asks: the person of a token."""

from __future__ import annotations

import math
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
    request: Request,
    service: Service,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Person:
    """The person whose token came with the request.

    Raises:
        HTTPException: 401, without a token or with one that does not count; 429, too often.
    """
    person = known(request, service, credentials.credentials if credentials else None)
    if person is None:
        raise unauthorized()
    return person


def known(request: Request, service: Gateway, token: str | None) -> Person | None:
    """Whose token it is, None for one that does not count; asking is counted.

    Raises:
        HTTPException: 429, they ask too often.
    """
    person = None if token is None else service.person_of(token)
    address = request.client.host if request.client else ""
    wait = service.rate_limit.wait(person.id if person else f"address {address}")
    if wait > 0:
        raise HTTPException(
            429,
            f"expected at most {service.settings.per_minute:g} requests a minute; received more",
            {"Retry-After": str(math.ceil(wait))},
        )
    if person is not None:
        # For the log.
        request.state.person = person.id
    return person


def unauthorized() -> HTTPException:
    """401; it does not tell what is wrong with a token."""
    return HTTPException(
        401,
        "expected Authorization: Bearer with the token of a person; received none that counts",
        {"WWW-Authenticate": "Bearer"},
    )


Asking = Annotated[Person, Depends(person_of)]
