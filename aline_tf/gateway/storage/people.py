"""People and their tokens. A token is shown once, when it is made; its digest is kept.

A token is 256 random bits, so that a plain digest of it tells nothing: there is no list of likely
ones to try, as there is of passwords.
"""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
import uuid

from sqlalchemy import Connection, delete, insert, select, update

from aline_tf.errors import InputError
from aline_tf.gateway.storage import audit
from aline_tf.gateway.storage.tables import PEOPLE, TOKENS
from aline_tf.migraine.records.wall_clock import time_zone

_PREFIX = "aline_"
_LABEL = 80
#: Who adds people and tokens.
OPERATOR = "operator"


@dataclasses.dataclass(frozen=True)
class Person:
    """Whose token it was.

    Attributes:
        id: of the person, 32 hexadecimal digits.
        zone: the time zone they live in, for records that name none; None where nobody said.
        label: of the token: which application or device uses it, or the name of a service.
        scopes: what the token lets its owner do; None for everything, as of a person's own.
    """

    id: str
    zone: str | None
    label: str
    scopes: frozenset[str] | None = None


def add_person(connection: Connection, now: int, zone: str | None = None) -> str:
    """A new person; their id.

    Args:
        connection: for writing.
        now: seconds since 1970 UTC.
        zone: like Europe/Berlin.

    Raises:
        InputError: no such time zone.
    """
    if zone is not None:
        time_zone(zone)
    person = uuid.uuid4().hex
    connection.execute(insert(PEOPLE).values(person=person, zone=zone, created=now))
    audit.note(connection, person, OPERATOR, audit.ADDED, now)
    return person


def issue_token(
    connection: Connection, person: str, label: str, now: int, token: str | None = None
) -> str:
    """A new token of a person, which nobody can look up later.

    Args:
        connection: for writing.
        person: their id.
        label: which application or device will use it.
        now: seconds since 1970 UTC.
        token: None for a new secret one; another only for what everybody may see.

    Raises:
        InputError: no such person, or a label that is empty or long.
    """
    checked_label(label)
    if connection.execute(select(PEOPLE).where(PEOPLE.c.person == person)).first() is None:
        raise InputError(f"expected the id of a person; received {person[:40]!r}")
    token = token or _PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        insert(TOKENS).values(
            digest=digest_of_token(token), person=person, label=label, created=now
        )
    )
    audit.note(connection, person, OPERATOR, audit.TOKEN, now)
    return token


def revoke_token(connection: Connection, token: str, now: int) -> bool:
    """Let a token count no more; whether it did until now."""
    person = person_of(connection, token)
    if person is None:
        return False
    mine = TOKENS.c.digest == digest_of_token(token)
    connection.execute(update(TOKENS).where(mine).values(revoked=now))
    audit.note(connection, person.id, OPERATOR, audit.REVOKED, now)
    return True


def person_of(connection: Connection, token: str) -> Person | None:
    """Whose token it is; None for one that does not count."""
    found = connection.execute(
        select(PEOPLE.c.person, PEOPLE.c.zone, TOKENS.c.label)
        .join(TOKENS, TOKENS.c.person == PEOPLE.c.person)
        .where(TOKENS.c.digest == digest_of_token(token), TOKENS.c.revoked.is_(None))
    ).first()
    return None if found is None else Person(*found)


def erase(connection: Connection, person: Person, now: int) -> bool:
    """Remove a person and all that is kept of them, tokens too; whether there was such a one.

    Args:
        connection: for writing.
        person: who, by one of their tokens.
        now: seconds since 1970 UTC.
    """
    mine = PEOPLE.c.person == person.id
    if connection.execute(delete(PEOPLE).where(mine)).rowcount != 1:
        return False
    audit.note(connection, person.id, person.label, audit.ERASED, now)
    return True


def checked_label(label: str, what: str = "a label") -> str:
    """A label that can be shown.

    Raises:
        InputError: it is empty, long, or of characters that do not print.
    """
    if not label.strip() or len(label) > _LABEL or not label.isprintable():
        raise InputError(f"expected {what} of 1 to {_LABEL} characters; received {label[:90]!r}")
    return label


def digest_of_token(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
