"""What can be acquired at 20:00: prompts about now and about yesterday, readings of recent days.

No TensorFlow here. A candidate is one channel of one day, or of one slot of it. Acquiring it
reveals one field of a day token, or, for a prompt, that nobody answered.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from aline_tf.batch import MISSING
from aline_tf.migraine.schema.channels import (
    CHANNEL,
    END_OF_DAY_NAMES,
    FIELD_INDEX,
    OUTCOME_INDEX,
    PASSIVE_NAMES,
    SLOTS,
    SPOT_READING,
    field_name,
)

#: The slot of `now`, 20:00.
NOW_SLOT = SLOTS - 1
#: Today, yesterday and the day before.
RECENT_DAYS = 3
#: Readings that need no device: a weather record, a calendar.
LOOK_UPS = ("pressure_change", "busy_hours")


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One data point that could be acquired.

    Attributes:
        channel: name of a channel.
        days_ago: 0 today, 1 yesterday, 2 the day before.
        slot: 0 to 3, or -1 for a whole day.

    Example:
        >>> from aline_tf.migraine.schema import Candidate
        >>> Candidate("stress", days_ago=0, slot=3).label
        'Stress now'
        >>> Candidate("ln_rmssd", days_ago=0).is_prompt
        False
    """

    channel: str
    days_ago: int
    slot: int = -1

    @property
    def field(self) -> int:
        """Index of the field of a day token that it fills."""
        return FIELD_INDEX[field_name(self.channel, None if self.slot < 0 else self.slot)]

    @property
    def outcome(self) -> int:
        """Index into `OUTCOMES`."""
        return OUTCOME_INDEX[self.channel]

    @property
    def cost(self) -> float:
        """Burden in units of one prompt."""
        return CHANNEL[self.channel].cost

    @property
    def is_prompt(self) -> bool:
        """Whether a person has to answer."""
        return self.channel not in PASSIVE_NAMES

    @property
    def label(self) -> str:
        """How a person would name it: "Stress now", "Last night's heart rate variability"."""
        subject = _SUBJECTS[self.channel]
        if self.channel in _NIGHTLY:
            nights = ("Last night's", "The night before last:", "Three nights ago:")
            return f"{nights[self.days_ago]} {subject}"
        subject = subject[0].upper() + subject[1:]
        if self.channel == SPOT_READING:
            return f"{subject} now"
        day = ("today", "yesterday", "two days ago")[self.days_ago]
        if self.slot < 0:
            return f"{subject} {day}"
        if self.days_ago == 0 and self.slot == NOW_SLOT:
            return f"{subject} now"
        part = ("night", "morning", "afternoon", "evening")[self.slot]
        if self.slot == 0:
            return f"{subject} in the early hours of {day}"
        return f"{subject} {'this' if self.days_ago == 0 else day} {part}"


_NIGHTLY = ("ln_rmssd", "sleep_hours", "sleep_efficiency", "skin_temperature")
_SUBJECTS = {
    "pressure_change": "air pressure change",
    "busy_hours": "busy hours in the calendar",
    "ln_rmssd": "heart rate variability (RMSSD)",
    "ln_sdnn": "heart rate variability (SDNN)",
    "resting_hr": "resting heart rate",
    "sleep_hours": "hours of sleep",
    "sleep_efficiency": "sleep efficiency",
    "skin_temperature": "skin temperature",
    "ln_steps": "steps",
    "ln_screen_time": "screen time",
    "alcohol": "drinks",
    "caffeine": "cups of coffee",
    "missed_meal": "missed a meal",
    SPOT_READING: "heart rate variability of one minute",
    "stress": "stress",
    "pain": "head pain",
    "attack": "migraine attack",
    "prodrome": "warning signs of an attack",
    "medication": "acute medication",
}


def _library() -> tuple[Candidate, ...]:
    reports = ("stress", "pain", "attack", "prodrome", "medication")
    now = [Candidate(name, 0, NOW_SLOT) for name in reports]
    earlier = [Candidate(name, 0, 2) for name in reports]
    earlier += [Candidate("attack", 0, slot) for slot in (1, 0)]
    earlier += [Candidate("medication", 0, 1)]
    today = [Candidate(name, 0) for name in ("caffeine", "missed_meal", SPOT_READING)]
    yesterday = [Candidate(name, 1) for name in ("alcohol", "caffeine", "missed_meal")]
    yesterday += [Candidate("attack", 1, slot) for slot in (3, 2, 1, 0)]
    yesterday += [Candidate(name, 1, NOW_SLOT) for name in ("stress", "pain", "prodrome")]
    # The menstrual window follows from recorded cycles: there is nothing more to fetch.
    readings = [name for name in PASSIVE_NAMES if name != "menstrual_window"]
    passive = [
        Candidate(name, days_ago)
        for days_ago in range(RECENT_DAYS)
        for name in readings
        if days_ago or name not in END_OF_DAY_NAMES
    ]
    return tuple(now + earlier + today + yesterday + passive)


#: Every candidate there is.
LIBRARY = _library()
#: Where they lie among the fields of the last days, [RECENT_DAYS, F] in one row, today first.
LIBRARY_PLACES = tuple(item.days_ago * len(FIELD_INDEX) + item.field for item in LIBRARY)


def candidates_for(status: np.ndarray) -> list[Candidate]:
    """What is worth offering, given what is known.

    Prompts are offered unless answered already, and what can be looked up. Another reading is
    offered where it is missing on a recent day though its source has delivered before; without any
    history, all readings are.

    Args:
        status: [C, F] status of the days known, oldest first, the last row today; C may be 0.

    Returns:
        Candidates in the order of `LIBRARY`.
    """
    status = np.asarray(status)
    days = len(status)
    seen = (status != MISSING).any(axis=0) if days else np.zeros(len(FIELD_INDEX), bool)
    offered = []
    for candidate in LIBRARY:
        row = days - 1 - candidate.days_ago
        known = row >= 0 and status[row, candidate.field] != MISSING
        anyone = candidate.is_prompt or candidate.channel in LOOK_UPS
        available = anyone or seen[candidate.field] or not seen.any()
        if available and not known:
            offered.append(candidate)
    return offered
