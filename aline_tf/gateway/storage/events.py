"""Events of people, those who are called about them, and the calls to make."""

from __future__ import annotations

import dataclasses
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from aline_tf.gateway.storage.people import Person
from aline_tf.gateway.storage.tables import DELIVERIES, EVENTS, PEOPLE, WEBHOOKS

#: Kinds of events: a forecast that moved, one that rose by much, a question that is worth a prompt.
RISK, RISK_ROSE, QUESTION = "risk", "risk_rose", "question"
#: Those that others are called about.
CALLED = (RISK_ROSE, QUESTION)
#: Events that are handed out at the same time.
AT_ONCE = 100
_EVENT = select(EVENTS.c.number, EVENTS.c.kind, EVENTS.c.at, EVENTS.c.document).order_by(
    EVENTS.c.number
)


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        number: later ones have larger numbers.
        kind: `RISK`, `RISK_ROSE` or `QUESTION`.
        at: seconds since 1970 UTC.
        document: what there is to say.
    """

    number: int
    kind: str
    at: int
    document: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Call:
    """A call to make.

    Attributes:
        webhook: its number.
        event: what it is about.
        url, secret: whom to call, and what signs it.
        attempts: that were made before.
    """

    webhook: int
    event: Event
    url: str
    secret: str
    attempts: int


def add_event(
    connection: Connection, person: str, name: str, kind: str, document: dict[str, Any], now: int
) -> int | None:
    """A new event, with a call to everybody who wants it; its number, None if it is there already.

    Args:
        connection: for writing.
        person: whose it is.
        name: the same for the same event, whoever finds it.
        kind: which.
        document: what there is to say, as JSON values.
        now: seconds since 1970 UTC.
    """
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[connection.dialect.name]
    row = {"person": person, "name": name, "kind": kind, "at": now, "document": document}
    added = dialect.insert(EVENTS).values(row).on_conflict_do_nothing()
    number = connection.execute(added.returning(EVENTS.c.number)).scalar()
    if number is not None and kind in CALLED:
        called = select(WEBHOOKS.c.number).where(WEBHOOKS.c.person == person)
        calls = [
            {"webhook": webhook, "event": number, "attempts": 0, "due": now}
            for webhook in connection.execute(called).scalars()
        ]
        if calls:
            connection.execute(insert(DELIVERIES), calls)
    return number


def events_after(connection: Connection, person: str, number: int) -> list[Event]:
    """Events of a person that came after number `number`, oldest first."""
    later = (EVENTS.c.person == person) & (EVENTS.c.number > number)
    return [Event(*row) for row in connection.execute(_EVENT.where(later).limit(AT_ONCE))]


def events_since(connection: Connection, person: str, kind: str, since: datetime) -> list[Event]:
    """Events of a kind from a moment on, oldest first."""
    mine = (EVENTS.c.person == person) & (EVENTS.c.kind == kind)
    late = EVENTS.c.at >= int(since.timestamp())
    return [Event(*row) for row in connection.execute(_EVENT.where(mine, late))]


def last_event(connection: Connection, person: str, kind: str) -> Event | None:
    """The newest event of a kind; None where there is none."""
    mine = (EVENTS.c.person == person) & (EVENTS.c.kind == kind)
    query = _EVENT.where(mine).order_by(None).order_by(EVENTS.c.number.desc()).limit(1)
    found = connection.execute(query).first()
    return None if found is None else Event(*found)


def people_with_webhooks(connection: Connection) -> list[Person]:
    """Everybody about whom somebody is called."""
    watched = select(WEBHOOKS.c.person)
    query = select(PEOPLE.c.person, PEOPLE.c.zone).where(PEOPLE.c.person.in_(watched))
    return [Person(person, zone, "attendant") for person, zone in connection.execute(query)]


def add_webhook(connection: Connection, person: str, url: str, now: int) -> tuple[int, str]:
    """Call this URL about events of a person; its number, and the secret that signs the calls."""
    secret = secrets.token_hex(32)
    row = {"person": person, "url": url, "secret": secret, "created": now}
    return connection.execute(insert(WEBHOOKS).values(row)).inserted_primary_key[0], secret


def webhooks(connection: Connection, person: str) -> list[tuple[int, str]]:
    """Number and URL of everybody who is called about a person."""
    query = select(WEBHOOKS.c.number, WEBHOOKS.c.url).where(WEBHOOKS.c.person == person)
    return [tuple(row) for row in connection.execute(query.order_by(WEBHOOKS.c.number))]


def remove_webhook(connection: Connection, person: str, number: int) -> bool:
    """Call no more; whether it was one of this person's."""
    mine = (WEBHOOKS.c.person == person) & (WEBHOOKS.c.number == number)
    return connection.execute(delete(WEBHOOKS).where(mine)).rowcount == 1


def claim_call(connection: Connection, now: int, until: int) -> Call | None:
    """A call that is due, which nobody else makes until then; None if none is.

    Args:
        connection: for writing.
        now: seconds since 1970 UTC.
        until: when it is due again unless `settle_call` says otherwise.
    """
    row = connection.execute(
        select(
            DELIVERIES.c.webhook,
            DELIVERIES.c.event,
            DELIVERIES.c.attempts,
            WEBHOOKS.c.url,
            WEBHOOKS.c.secret,
            EVENTS.c.kind,
            EVENTS.c.at,
            EVENTS.c.document,
        )
        .join(WEBHOOKS, WEBHOOKS.c.number == DELIVERIES.c.webhook)
        .join(EVENTS, EVENTS.c.number == DELIVERIES.c.event)
        .where(DELIVERIES.c.due <= now)
        .order_by(DELIVERIES.c.due, DELIVERIES.c.event)
        .limit(1)
        .with_for_update(skip_locked=True, of=DELIVERIES)
    ).first()
    if row is None:
        return None
    settle_call(connection, row.webhook, row.event, until, row.attempts + 1)
    event = Event(row.event, row.kind, row.at, row.document)
    return Call(row.webhook, event, row.url, row.secret, row.attempts)


def settle_call(
    connection: Connection, webhook: int, event: int, due: int | None, attempts: int
) -> None:
    """When a call is due again; None for one that was made, or given up.

    Args:
        connection: for writing.
        webhook, event: which call.
        due: seconds since 1970 UTC.
        attempts: that were made.
    """
    mine = (DELIVERIES.c.webhook == webhook) & (DELIVERIES.c.event == event)
    connection.execute(update(DELIVERIES).where(mine).values(due=due, attempts=attempts))
