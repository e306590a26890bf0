"""What-if forecasts: the risk with one observation set to another value.

    p(attack | D with o = v)     beside     p(attack | D)

It says what the model expects of a day on which v was recorded and all else was as it was. That
is a prediction, not a cause: stress may go before an attack because the attack is on its way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from aline_tf import batch_ops
from aline_tf.batch import OBSERVED
from aline_tf.errors import InputError
from aline_tf.migraine.forecast.forecast import attack_probabilities
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.records.days import DayHistory
from aline_tf.migraine.schema.candidates import NOW_SLOT, RECENT_DAYS
from aline_tf.migraine.schema.channels import CHANNEL, places


@dataclasses.dataclass(frozen=True)
class Supposition:
    """What is supposed of one channel.

    Attributes:
        channel: its name.
        days_ago: 0 today, up to 2.
        value: what it is set to, in natural units.

    Example:
        >>> from aline_tf.migraine.forecast import Supposition
        >>> Supposition("sleep_hours", days_ago=0, value=5.0).channel
        'sleep_hours'
    """

    channel: str
    days_ago: int
    value: float


@dataclasses.dataclass(frozen=True)
class WhatIf:
    """A supposition, and the risks it would lead to.

    Attributes:
        supposition: what is supposed.
        risk_24h, risk_48h: probabilities of an attack within so many hours.

    Example:
        >>> from aline_tf.migraine.forecast import Supposition, WhatIf
        >>> WhatIf(Supposition("stress", 0, 8.0), risk_24h=0.3, risk_48h=0.45).risk_24h
        0.3
    """

    supposition: Supposition
    risk_24h: float
    risk_48h: float


#: What a report asks by itself: the triggers a person may have had otherwise, at both ends.
USUAL = (
    Supposition("stress", 0, 8.0),
    Supposition("stress", 0, 2.0),
    Supposition("sleep_hours", 0, 5.0),
    Supposition("sleep_hours", 0, 8.0),
    Supposition("alcohol", 1, 6.0),
    Supposition("alcohol", 1, 0.0),
    Supposition("missed_meal", 0, 1.0),
    Supposition("missed_meal", 0, 0.0),
    Supposition("caffeine", 0, 0.0),
    Supposition("pressure_change", 0, -12.0),
)
#: Values of continuous readings further from the middle than this many spreads are refused.
_FURTHEST = 8.0


def parse(text: str) -> Supposition:
    """A supposition as it is typed: "stress=8", "alcohol@1=5" (one day ago).

    Raises:
        InputError: no such channel, a day further back than two, or a value it cannot have.
    """
    what, _, value_text = text.partition("=")
    name, _, ago_text = what.partition("@")
    if name not in CHANNEL:
        raise InputError(
            f"expected --what-if CHANNEL=VALUE with one of {', '.join(CHANNEL)}; received {text!r}"
        )
    if ago_text not in ("", *map(str, range(RECENT_DAYS))):
        raise InputError(
            f"expected CHANNEL@DAYS=VALUE with 0 (today) to {RECENT_DAYS - 1} days ago; received"
            f" {text!r}"
        )
    channel = CHANNEL[name]
    try:
        value = float(value_text)
    except ValueError:
        value = float("nan")
    if channel.kind == "continuous":
        low = channel.loc - _FURTHEST * channel.scale
        high = channel.loc + _FURTHEST * channel.scale
        whole = True
    else:
        low, high = 0.0, channel.levels - 1.0
        whole = value == round(value) if np.isfinite(value) else False
    if not low <= value <= high or not whole:
        kind = "a number" if channel.kind == "continuous" else "a whole number"
        raise InputError(
            f"expected {kind} from {low:g} to {high:g} for {name}; received {value_text!r}"
        )
    return Supposition(name, int(ago_text or 0), value)


def what_ifs(
    model, history: DayHistory, suppositions: Sequence[Supposition] = USUAL
) -> list[WhatIf]:
    """Risks under each supposition; those that change nothing recorded are left out.

    Args:
        model: an ALINE of the migraine task.
        history: the days up to the evening of the forecast.
        suppositions: one at a time.
    """
    days = len(history.dates)
    changed = [s for s in suppositions if s.days_ago < days and not _is_so(history, s)]
    if not changed:
        return []
    rows = [history_batch(_supposed(history, s), candidates=[])[0] for s in changed]
    risks = attack_probabilities(model, batch_ops.stack(rows))
    return [WhatIf(s, *map(float, row)) for s, row in zip(changed, risks, strict=True)]


def _fields(history: DayHistory, supposition: Supposition) -> list[int]:
    """Where it is written: the slots that were recorded, or else the latest that is past."""
    fields = list(places(supposition.channel))
    if len(fields) == 1:
        return fields
    row = len(history.dates) - 1 - supposition.days_ago
    observed = [field for field in fields if history.status[row, field] == OBSERVED]
    return observed or [fields[NOW_SLOT]]


def _is_so(history: DayHistory, supposition: Supposition) -> bool:
    row, fields = len(history.dates) - 1 - supposition.days_ago, _fields(history, supposition)
    observed = (history.status[row, fields] == OBSERVED).all()
    return bool(observed and (history.values[row, fields] == supposition.value).all())


def _supposed(history: DayHistory, supposition: Supposition) -> DayHistory:
    fields = _fields(history, supposition)
    return history.changed(supposition.days_ago, fields, supposition.value, OBSERVED)
