"""Which device of a person counts where several tell the same reading."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from aline_tf.gateway.storage.tables import DEVICES
from aline_tf.gateway.storage.upsert import put


def keep_priority(connection: Connection, person: str, names: Sequence[str]) -> None:
    """Keep the list of a person in place of the one before."""
    put(connection, DEVICES, {"person": person}, {"priority": list(names)})


def priority_of(connection: Connection, person: str) -> tuple[str, ...]:
    """Names of devices, the one that counts most first; none where the person said nothing."""
    query = select(DEVICES.c.priority).where(DEVICES.c.person == person)
    return tuple(connection.execute(query).scalar() or ())
