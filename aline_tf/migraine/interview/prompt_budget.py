"""Prompt budget: how many prompts a day and a week, counted in what was sent already.

The answers of earlier sessions are rows of the timeline, "asked, not answered" included. No
TensorFlow here.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from aline_tf.migraine.schema.candidates import LOOK_UPS

if TYPE_CHECKING:
    from aline_tf.migraine.records.timeline import Timeline

#: Prompts of a day and of a week, beyond which people stop answering.
PROMPTS_A_DAY, PROMPTS_A_WEEK = 2, 10


@dataclasses.dataclass(frozen=True)
class PromptBudget:
    """Hard limits.

    Attributes:
        day: prompts of one local day.
        week: prompts of seven days, today the last of them.

    Example:
        >>> from aline_tf.migraine.interview import PromptBudget
        >>> PromptBudget(day=2, week=10)
        PromptBudget(day=2, week=10)
    """

    day: int = PROMPTS_A_DAY
    week: int = PROMPTS_A_WEEK

    def left(self, timeline: Timeline, now: datetime) -> tuple[int, str]:
        """How many prompts may still be sent today, and the limit that will be met first, in words.

        Args:
            timeline: with the answers of earlier sessions.
            now: of the session, with its time zone.
        """
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        today = self.day - sent(timeline, midnight, now)
        this_week = self.week - sent(timeline, midnight - timedelta(days=6), now)
        limit, many, span = min((today, self.day, "day"), (this_week, self.week, "week"))
        return max(limit, 0), f"{many} {'prompt' if many == 1 else 'prompts'} a {span}"


def sent(timeline: Timeline, since: datetime, until: datetime) -> int:
    """Prompts sent by sessions from one moment to another; what was looked up does not count."""
    from aline_tf.migraine.interview.answers import SOURCE

    frame = timeline.frame
    prompts = (frame["source"] == SOURCE) & ~frame["channel"].isin(LOOK_UPS)
    return int((prompts & (frame["known"] >= since) & (frame["known"] <= until)).sum())
