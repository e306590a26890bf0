"""Versions of one FHIR observation: which of two came later."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

#: How late in the life of an observation a status comes.
_RANKS = {"preliminary": 0, "final": 1, "appended": 2, "amended": 2, "corrected": 3}


@dataclasses.dataclass(frozen=True)
class Version:
    """The newest version of an observation: what orders it, when it was, and where it is kept."""

    order: tuple
    time: int | None
    number: int | None


def order_of(resource: dict[str, Any]) -> tuple:
    """What grows from version to version of an observation.

    Args:
        resource: an Observation; its `meta`, `issued` and `status` are looked at.
    """
    meta = resource.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    number = str(meta.get("versionId", ""))
    return (
        _second_of(meta.get("lastUpdated")),
        int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0,
        _second_of(resource.get("issued")),
        _RANKS.get(resource.get("status"), len(_RANKS)),
    )


def _second_of(text: Any) -> float:
    try:
        moment = datetime.fromisoformat(text)
        return moment.timestamp() if moment.tzinfo else 0.0
    except (TypeError, ValueError, OverflowError):
        return 0.0
