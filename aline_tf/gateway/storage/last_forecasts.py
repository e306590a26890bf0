"""The last forecast of every person, for when no new one can be made."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from aline_tf.gateway.storage.tables import FORECASTS
from aline_tf.gateway.storage.upsert import put


def keep_forecast(connection: Connection, person: str, document: dict[str, Any], now: int) -> None:
    """Keep a forecast in place of the one before.

    Args:
        connection: for writing.
        person: whose it is.
        document: the forecast as JSON values.
        now: seconds since 1970 UTC.
    """
    put(connection, FORECASTS, {"person": person}, {"computed": now, "document": document})


def last_forecast(connection: Connection, person: str) -> tuple[int, dict[str, Any]] | None:
    """When the last forecast was made, in seconds since 1970 UTC, and what it said."""
    found = connection.execute(
        select(FORECASTS.c.computed, FORECASTS.c.document).where(FORECASTS.c.person == person)
    ).first()
    return None if found is None else (found.computed, found.document)
