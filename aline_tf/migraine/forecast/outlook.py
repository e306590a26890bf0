"""The outlook of one person at one moment: all that a forecast says, computed in one place.

The command line prints it and the report draws it; neither computes.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime

import numpy as np

from aline_tf.batch import MISSING
from aline_tf.migraine.forecast.attribution import Attribution, attributions
from aline_tf.migraine.forecast.backtest import (
    DAYS,
    ENOUGH_OF_EACH,
    BacktestScore,
    Evening,
    backtest_evenings,
    backtest_score,
    daily_attacks,
)
from aline_tf.migraine.forecast.forecast import Risk, attack_risks
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.forecast.plan import Plan, Scores, make_plan
from aline_tf.migraine.forecast.triggers import TriggerPosterior, trigger_posteriors
from aline_tf.migraine.forecast.twins import live_twins
from aline_tf.migraine.forecast.unlikeness import Unlikeness, unlikeness
from aline_tf.migraine.forecast.value_of_information import (
    ValuedCandidate,
    value_candidates,
    worth_asking,
)
from aline_tf.migraine.forecast.what_if import USUAL, Supposition, WhatIf, what_ifs
from aline_tf.migraine.records.attack_slots import attacks_alone
from aline_tf.migraine.records.days import DayHistory, day_history, recent
from aline_tf.migraine.records.timeline import ImportSummary, Timeline
from aline_tf.migraine.schema.channels import FIELD_INDEX, places
from aline_tf.migraine.schema.designs import CAPACITY

#: Days of which a diary tells, below which no share is made of them.
ENOUGH_DAYS = 14


@dataclasses.dataclass(frozen=True)
class Outlook:
    """What is known of a person at one moment, what follows, and what is worth acquiring.

    Attributes:
        history: the days it rests on, the last one that of `now`.
        summary: what was read and skipped.
        risks: within 24 and 48 hours.
        attributions: what the observations of the last days did to the 24 h risk, largest first.
        triggers: strongest first.
        what_ifs: risks had a day gone otherwise.
        valued_candidates: every data point that could be acquired, the most valuable first.
        next_candidates: the three to show.
        cost_weight: nats that one unit of burden has to be worth.
        evenings, score: forecasts of the last evenings, and how they did.
        unlikeness: how far the records are from those of simulated people.
        remarks: sentences on what was set aside, possibly none.
        plan: what is worth recording in the next two weeks, and on how many simulated people that
            rests; None where it was not asked for.

    Example:
        >>> import dataclasses
        >>> from aline_tf.migraine.forecast import Outlook
        >>> [field.name for field in dataclasses.fields(Outlook)][:3]
        ['history', 'summary', 'risks']
    """

    history: DayHistory
    summary: ImportSummary
    risks: list[Risk]
    attributions: list[Attribution]
    triggers: list[TriggerPosterior]
    what_ifs: list[WhatIf]
    valued_candidates: list[ValuedCandidate]
    next_candidates: list[ValuedCandidate]
    cost_weight: float
    evenings: list[Evening]
    score: BacktestScore | None
    unlikeness: Unlikeness
    remarks: tuple[str, ...] = ()
    plan: tuple[Plan, int] | None = None

    @property
    def days_recorded(self) -> int:
        """Days on which anything was recorded."""
        return int(self._recorded().sum())

    @property
    def attack_days(self) -> tuple[int, int]:
        """Days with a recorded attack, and days of which the diary tells whether there was one."""
        days = daily_attacks(self.history)
        return sum(day is True for day in days), sum(day is not None for day in days)

    @property
    def attacks_alone(self) -> bool:
        """Whether attacks are noted and days without one are not: no share follows from that."""
        days = daily_attacks(self.history)
        attack, reported = ([day is True for day in days], [day is not None for day in days])
        return bool(attacks_alone(np.array(attack), np.array(reported)))

    @property
    def attack_share(self) -> float | None:
        """Share of the days of which the diary tells that had an attack; None where it tells of
        fewer than `ENOUGH_DAYS`, or of days with attacks alone."""
        attacks, reported = self.attack_days
        return attacks / reported if reported >= ENOUGH_DAYS and not self.attacks_alone else None

    @property
    def tells_of_triggers(self) -> bool:
        """Whether there are days with attacks and days without, as many as evidence takes."""
        attacks, _ = self.attack_days
        return min(attacks, self.days_recorded - attacks) >= ENOUGH_OF_EACH

    @property
    def attacks_today(self) -> list[bool]:
        """Whether an attack is recorded in each slot of today."""
        return (self.history.values[-1, list(places("attack"))] > 0.5).tolist()

    @property
    def silent_days(self) -> int:
        """Whole days since anything was recorded; 0 when something was today."""
        recorded = self._recorded()
        return int(recorded[::-1].argmax()) if recorded.any() else len(recorded)

    def _recorded(self) -> np.ndarray:
        """Days with records, bool [C]; the menstrual window is concluded from other days'."""
        status = np.delete(self.history.status, FIELD_INDEX["menstrual_window"], axis=1)
        return (status != MISSING).any(axis=1)


def outlook_at(
    model,
    timeline: Timeline,
    now: datetime,
    cost_weight: float,
    seed: int = 0,
    suppositions: tuple[Supposition, ...] = (),
    remarks: tuple[str, ...] = (),
) -> Outlook:
    """The outlook at `now`, from what was known then and nothing later.

    Args:
        model: an ALINE of the migraine task.
        timeline: what is recorded of the person.
        now: an evening, with its time zone.
        cost_weight: nats that one unit of burden has to be worth.
        seed: of the parameter draws behind the intervals.
        suppositions: what-ifs beside the usual ones.
        remarks: sentences of `standpoint`.
    """
    near = recent(timeline, now, CAPACITY + DAYS)
    history = day_history(near, now, CAPACITY)
    batch, candidates = history_batch(history)
    found = value_candidates(model, batch, candidates, cost_weight)
    evenings = backtest_evenings(model, near, now, seed=seed)
    return Outlook(
        history=history,
        summary=timeline.summary,
        risks=attack_risks(model, batch, seed)[0],
        attributions=attributions(model, history),
        triggers=trigger_posteriors(model, batch),
        # What was asked for by hand comes first, and once.
        what_ifs=what_ifs(model, history, list(dict.fromkeys((*suppositions, *USUAL)))),
        valued_candidates=found,
        next_candidates=worth_asking(found),
        cost_weight=cost_weight,
        evenings=evenings,
        score=backtest_score(evenings),
        unlikeness=unlikeness(history),
        remarks=remarks,
    )


def with_plan(outlook: Outlook, model, budget: float, twins: int, seed: int = 0) -> Outlook:
    """The outlook with a plan for the next two weeks.

    Args:
        outlook: of one person.
        model: an ALINE of the migraine task.
        budget: burden a day at most, in prompts.
        twins: simulated people like this one.
        seed: of them.
    """
    people = live_twins(model, outlook.history, twins, seed)
    return dataclasses.replace(outlook, plan=(make_plan(Scores(model, people), budget), twins))
