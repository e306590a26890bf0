"""What moved a person's risk since a moment: what was sent since, and what each channel did.

    risk(before) = p(attack | D before)         of the same evening, so that no time passes
    risk(after)  = p(attack | D)
    move(c)      = p(attack | D) - p(attack | D with the days of channel c as they were before)

Moves need not add up: two channels that say the same are each missed little.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from aline_tf import batch_ops
from aline_tf.gateway.storage.payloads import Receipt
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.records.days import DayHistory
from aline_tf.migraine.schema.channels import CHANNELS, FORECASTS, places


@dataclasses.dataclass(frozen=True)
class Move:
    """What a channel did.

    Attributes:
        channel: its name.
        days: on which it is not as it was before.
        newest: the last of them, as 2025-03-10.
        move_24h, move_48h: differences of probabilities, positive where it raised the risk.
    """

    channel: str
    days: int
    newest: str
    move_24h: float
    move_48h: float


def risks_and_moves(
    probabilities: Callable[[dict], np.ndarray], before: DayHistory, after: DayHistory
) -> tuple[np.ndarray, np.ndarray, list[Move]]:
    """The risks before and after, [2] each, and the moves, the largest first.

    Args:
        probabilities: of an attack within 24 and 48 hours, [B, 2], for each row of a batch.
        before, after: of the same days.
    """
    found, histories = [], [before, after]
    unlike = (before.status != after.status) | (before.values != after.values)
    for channel in CHANNELS:
        fields = list(places(channel.name))
        days = np.flatnonzero(unlike[:, fields].any(axis=1))
        if not len(days):
            continue
        values, status = after.values.copy(), after.status.copy()
        values[:, fields], status[:, fields] = before.values[:, fields], before.status[:, fields]
        found.append((channel.name, len(days), after.dates[days[-1]].isoformat()))
        histories.append(dataclasses.replace(after, values=values, status=status))
    rows = batch_ops.stack([history_batch(each, candidates=[])[0] for each in histories])
    was, now, *without = probabilities(rows)
    moves = [
        Move(*channel, *(now - left).tolist()) for channel, left in zip(found, without, strict=True)
    ]
    return was, now, sorted(moves, key=lambda move: -abs(move.move_24h))


def sent(receipts: Iterable[Receipt]) -> list[dict[str, Any]]:
    """What was sent, by format: how many payloads, and how many records of each channel."""
    payloads, read = Counter[str](), defaultdict[str, Counter[str]](Counter)
    for receipt in receipts:
        payloads[receipt.kind] += 1
        read[receipt.kind].update(receipt.account["by"]["read"])
    return [
        {"format": kind, "payloads": count, "read": dict(read[kind])}
        for kind, count in sorted(payloads.items())
    ]


def shown_risks(values: np.ndarray) -> list[dict[str, Any]]:
    """Probabilities of the two forecasts as they are told."""
    hours = (int(channel.name.split("_")[1][:-1]) for channel in FORECASTS)
    return [
        {"hours": each, "probability": value}
        for each, value in zip(hours, values.tolist(), strict=True)
    ]
