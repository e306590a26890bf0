"""Who asks: the person of a token, or a service that a person lets act for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from aline_tf.gateway.service import Gateway
from aline_tf.gateway.storage.people import Person
from aline_tf.gateway.storage.services import ANSWERS, FORECASTS, READINGS

_BEARER = HTTPBearer(auto_error=False, description="the token of a person, or of a service")
_NAMED = "for a service: the id of the person for whom it acts"


async def gateway_of(connection: HTTPConnection) -> Gateway:
    """The service behind the application; asynchronous, so that no thread is woken for it."""
    return connection.app.state.gateway


Service = Annotated[Gateway, Depends(gateway_of)]


def asking(scope: str | None) -> Callable[..., Person]:
    """A dependency: for whom a request is.

    Args:
        scope: what a service must be let do; None for what only a person may do themselves.
    """

    def person_of(
        request: Request,
        service: Service,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
        x_aline_person: Annotated[str | None, Header(max_length=64, description=_NAMED)] = None,
    ) -> Person:
        token = credentials.credentials if credentials else None
        return allowed(request, service, token, x_aline_person, scope)

    return person_of


def allowed(
    connection: HTTPConnection,
    service: Gateway,
    token: str | None,
    named: str | None,
    scope: str | None,
) -> Person:
    """The person for whom somebody may do something.

    Args:
        connection: that asks.
        service: of the gateway.
        token: that came with it; None for none.
        named: the person for whom a service asks; None where it names nobody.
        scope: as for `asking`.

    Raises:
        HTTPException: 401, without a token or with one that does not count; 403, a service that may
            not do this for this person, whether or not there is such a one; 429, too often.
    """
    person = known(connection, service, token, named)
    if person is None:
        raise unauthorized()
    if person.scopes is not None and scope not in person.scopes:
        raise HTTPException(
            403,
            "expected the token of the person themselves; received that of a service"
            if scope is None
            else f"expected a service that this person lets do {scope}; received another",
        )
    return person


def known(
    connection: HTTPConnection, service: Gateway, token: str | None, named: str | None = None
) -> Person | None:
    """Whose token it is, None for one that does not count; asking is counted.

    Args:
        connection, service, token, named: as for `allowed`.

    Raises:
        HTTPException: 403, a service asks for nobody who lets it; 429, they ask too often.
    """
    person = None if token is None else service.person_of(token)
    program = service.service_of(token) if token is not None and person is None else None
    address = connection.client.host if connection.client else ""
    if person is not None:
        asker = person.id
    elif program is not None:
        asker = f"service {program} {named}"
        person = None if named is None else service.person_for(program, named)
        if person is None:
            asker = f"service {program}"
    else:
        asker = f"address {address}"
    wait = service.rate_limit.wait(asker)
    if wait > 0:
        raise HTTPException(
            429,
            f"expected at most {service.settings.per_minute:g} requests a minute; received more",
            {"Retry-After": str(math.ceil(wait))},
        )
    if program is not None and person is None:
        raise HTTPException(
            403,
            "expected X-Aline-Person with the id of somebody who lets this service act for them;"
            " received none",
        )
    if person is not None:
        # For the log.
        connection.state.person = person.id
    return person


def unauthorized() -> HTTPException:
    """401; it does not tell what is wrong with a token."""
    return HTTPException(
        401,
        "expected Authorization: Bearer with the token of a person; received none that counts",
        {"WWW-Authenticate": "Bearer"},
    )


#: A person by a token of their own.
Asking = Annotated[Person, Depends(asking(None))]
#: The same, or a service that they let do it.
AskingForecasts = Annotated[Person, Depends(asking(FORECASTS))]
SendingReadings = Annotated[Person, Depends(asking(READINGS))]
Answering = Annotated[Person, Depends(asking(ANSWERS))]
