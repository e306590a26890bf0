"""Services: programs with a token of their own that act for several people, where these let them.

A token says which service it is, and reaches nobody by itself: every person names the services that
may act for them, and what they may do. Of a token its digest alone is kept, as of a person's.
"""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select, update

from aline_tf.errors import InputError
from aline_tf.gateway.storage import audit
from aline_tf.gateway.storage.people import Person, checked_label, digest_of_token
from aline_tf.gateway.storage.tables import GRANTS, PEOPLE, SERVICE_TOKENS, SERVICES
from aline_tf.gateway.storage.upsert import put

#: What a service may be let do: send readings and see their receipts; ask for risks, triggers,
#: questions, plans, changes, what-ifs and events; answer questions.
READINGS, FORECASTS, ANSWERS = SCOPES = ("readings", "forecasts", "answers")
_PREFIX = "aline_service_"


@dataclasses.dataclass(frozen=True)
class Grant:
    """What a person lets a service do.

    Attributes:
        service: its id.
        name: as its operator named it.
        scopes: of `SCOPES`.
    """

    service: str
    name: str
    scopes: tuple[str, ...]


def add_service(connection: Connection, name: str, now: int) -> str:
    """A new service; its id.

    Args:
        connection: for writing.
        name: which program it is, for the people who are to let it act for them.
        now: seconds since 1970 UTC.

    Raises:
        InputError: a name that is empty or long.
    """
    service = uuid.uuid4().hex
    row = {"service": service, "name": checked_label(name, "a name"), "created": now}
    connection.execute(insert(SERVICES).values(row))
    return service


def issue_service_token(connection: Connection, service: str, now: int) -> str:
    """A new token of a service, which nobody can look up later.

    Raises:
        InputError: no such service.
    """
    if _name_of(connection, service) is None:
        raise InputError(f"expected the id of a service; received {service[:40]!r}")
    token = _PREFIX + secrets.token_urlsafe(32)
    row = {"digest": digest_of_token(token), "service": service, "created": now}
    connection.execute(insert(SERVICE_TOKENS).values(row))
    return token


def revoke_service_tokens(connection: Connection, service: str, now: int) -> int:
    """Let no token of a service count any more; how many did until now."""
    mine = (SERVICE_TOKENS.c.service == service) & SERVICE_TOKENS.c.revoked.is_(None)
    return connection.execute(update(SERVICE_TOKENS).where(mine).values(revoked=now)).rowcount


def service_of(connection: Connection, token: str) -> str | None:
    """Which service a token is of; None for one that does not count."""
    mine = SERVICE_TOKENS.c.digest == digest_of_token(token)
    query = select(SERVICE_TOKENS.c.service).where(mine, SERVICE_TOKENS.c.revoked.is_(None))
    return connection.execute(query).scalar()


def person_for(connection: Connection, service: str, person: str) -> Person | None:
    """A person for whom a service may act, with what it may do; None for all others."""
    found = connection.execute(
        select(PEOPLE.c.person, PEOPLE.c.zone, SERVICES.c.name, GRANTS.c.scopes)
        .join(GRANTS, GRANTS.c.person == PEOPLE.c.person)
        .join(SERVICES, SERVICES.c.service == GRANTS.c.service)
        .where(GRANTS.c.service == service, GRANTS.c.person == person)
    ).first()
    if found is None:
        return None
    return Person(found.person, found.zone, found.name, frozenset(found.scopes.split()))


def grant(
    connection: Connection, person: Person, service: str, scopes: Iterable[str], now: int
) -> Grant:
    """Let a service act for a person, in place of what it was let do before.

    Args:
        connection: for writing.
        person: who lets it.
        service: its id.
        scopes: what it may do.
        now: seconds since 1970 UTC.

    Raises:
        InputError: no such service or scope, or none at all.
    """
    name, scopes = _name_of(connection, service), set(scopes)
    if name is None:
        raise InputError(f"expected the id of a service; received {service[:40]!r}")
    if not scopes or not scopes <= set(SCOPES):
        received = ", ".join(sorted(scopes)) or "none"
        raise InputError(f"expected scopes of {', '.join(SCOPES)}; received {received[:200]}")
    allowed = tuple(scope for scope in SCOPES if scope in scopes)
    key = {"person": person.id, "service": service}
    put(connection, GRANTS, key, {"scopes": " ".join(allowed), "created": now})
    audit.note(connection, person.id, person.label, audit.GRANTED, now)
    return Grant(service, name, allowed)


def withdraw(connection: Connection, person: Person, service: str, now: int) -> bool:
    """Let a service act for a person no more; whether it might until now."""
    if connection.execute(delete(GRANTS).where(_of(person, service))).rowcount != 1:
        return False
    audit.note(connection, person.id, person.label, audit.WITHDRAWN, now)
    return True


def grants_of(connection: Connection, person: str) -> list[Grant]:
    """The services that may act for a person."""
    query = (
        select(GRANTS.c.service, SERVICES.c.name, GRANTS.c.scopes)
        .join(SERVICES, SERVICES.c.service == GRANTS.c.service)
        .where(GRANTS.c.person == person)
        .order_by(SERVICES.c.name, GRANTS.c.service)
    )
    rows = connection.execute(query)
    return [Grant(row.service, row.name, tuple(row.scopes.split())) for row in rows]


def _of(person: Person, service: str):
    return (GRANTS.c.person == person.id) & (GRANTS.c.service == service)


def _name_of(connection: Connection, service: str) -> str | None:
    query = select(SERVICES.c.name).where(SERVICES.c.service == service)
    return connection.execute(query).scalar()
