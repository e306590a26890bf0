"""Who did what with whose records, and when. What the records say is not in it.

The log outlives a person who is erased: that they were is a part of it. An id is all that it has of
them, and nothing leads from that to anybody.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select

from aline_tf.gateway.storage.tables import AUDIT

ADDED, TOKEN, REVOKED, EXPORTED, ERASED, GRANTED, WITHDRAWN = (
    "person added",
    "token issued",
    "token revoked",
    "records exported",
    "person erased",
    "service allowed",
    "service no longer allowed",
)
#: Lines that are shown.
MOST = 1000


def note(connection: Connection, person: str, actor: str, action: str, now: int) -> None:
    """One more line.

    Args:
        connection: for writing; the line is kept with what else is done in it, or not at all.
        person: whose records.
        actor: the label of the token that was used, or "operator".
        action: what was done.
        now: seconds since 1970 UTC.
    """
    connection.execute(insert(AUDIT).values(person=person, actor=actor, action=action, at=now))


def lines(connection: Connection, person: str) -> list[dict[str, Any]]:
    """The newest lines about a person, newest first: at, actor, action."""
    query = (
        select(AUDIT.c.at, AUDIT.c.actor, AUDIT.c.action)
        .where(AUDIT.c.person == person)
        .order_by(AUDIT.c.number.desc())
        .limit(MOST)
    )
    return [row._asdict() for row in connection.execute(query)]
