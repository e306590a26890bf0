"""Whether plans are good: the recommended set beside the best of its cost, found by trying all.

The set is recommended on one sample of a person's twins. Every set is then tried on another. The
best of those that cost no more profits from the luck of the sample it was found in; judged in the
other half of that sample it does not. Both comparisons are made.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import combinations

import numpy as np

from aline_tf.migraine.forecast.plan import Option, Scores, recommended
from aline_tf.migraine.forecast.twins import live_twins
from aline_tf.migraine.records.days import DayHistory
from aline_tf.migraine.schema.channels import CHANNEL, WEARABLE_NAMES, places
from aline_tf.migraine.simulation.cohort import Cohort, sample_cohort

#: Days that people have recorded, and the evenings to come that are looked at.
KNOWN_DAYS, EVENINGS = 42, (3, 10)
TWINS = 32
#: Budgets in prompts a day, one after the other from person to person.
BUDGETS = (0.5, 1.0, 2.0, 3.0)
_EVENING = 3


def tried_options() -> tuple[Option, ...]:
    """Six channels, few enough for all 64 sets to be tried: a watch, a minute's reading of heart
    rate variability, and four questions in the evening."""
    watch = [name for name in WEARABLE_NAMES if name != "ln_sdnn"]
    questions = ("pain", "attack", "prodrome", "stress")
    return (
        Option(
            "ln_rmssd",
            tuple(place for name in watch for place in places(name)),
            round(sum(CHANNEL[name].cost for name in watch), 6),
            "watch",
        ),
        Option("ln_rmssd_spot", places("ln_rmssd_spot"), CHANNEL["ln_rmssd_spot"].cost, "phone"),
        *(
            Option(name, (places(name)[_EVENING],), CHANNEL[name].cost, "question", _EVENING)
            for name in questions
        ),
    )


@dataclasses.dataclass(frozen=True)
class Tried:
    """One person: gains of the recommended set and of the best that costs no more, in nats.

    Attributes:
        recommended: gain of the recommended set, in the sample in which all were tried.
        best: the largest gain there, of a set that costs no more.
        crossed: gain of the best set of either half of that sample, in the other half.
        size: how many options the recommended set has.

    Example:
        >>> from aline_tf.migraine.evaluation import Tried
        >>> Tried(0.09, 0.1, 0.095, 2).best
        0.1
    """

    recommended: float
    best: float
    crossed: float
    size: int


def try_all(model, people: int, seed: int, report: Callable[[str], None]) -> list[Tried]:
    """Plans for simulated people, and every set of the same options tried on fresh twins.

    Args:
        model: an ALINE of the migraine task, or a `Compiled`.
        people: S.
        seed: of people and twins.
        report: called with a line of progress.
    """
    cohort = sample_cohort(seed, people, KNOWN_DAYS, KNOWN_DAYS)
    offered = tried_options()
    sets = [chosen for count in range(len(offered) + 1) for chosen in combinations(offered, count)]
    found = []
    for person in range(people):
        history = person_history(cohort, person)
        planned = Scores(model, live_twins(model, history, TWINS, 2 * person), EVENINGS)
        advice = recommended(planned, BUDGETS[person % len(BUDGETS)], offered)
        fresh = Scores(model, live_twins(model, history, TWINS, 2 * person + 1), EVENINGS)
        found.append(_compared(fresh, sets, advice.options, advice.cost))
        if person % 10 == 9:
            report(f"{person + 1} of {people} people: {share_text(found)}")
    return found


def person_history(cohort: Cohort, person: int) -> DayHistory:
    """One person's records at 20:00 of the cohort's last day."""
    values, status = (table[person] for table in cohort.records(cohort.days))
    last = date(2025, 3, 3) + timedelta(int(cohort.weekday(cohort.days)[person]))
    dates = tuple(last - timedelta(days=ago) for ago in range(cohort.days - 1, -1, -1))
    return DayHistory(values, status, dates, datetime(last.year, last.month, last.day, 20))


def _compared(fresh: Scores, sets, chosen, cost: float) -> Tried:
    gains = fresh(sets)
    affordable = [gain for gain in gains if gain.cost <= cost + 1e-9]
    by_twin = np.stack([fresh.by_twin(gain.options) for gain in affordable])
    halves = by_twin[:, ::2], by_twin[:, 1::2]
    crossed = [
        other[int(half.mean(axis=1).argmax())].mean() for half, other in (halves, halves[::-1])
    ]
    (own,) = fresh([chosen])
    return Tried(
        own.log_score,
        max(gain.log_score for gain in affordable),
        float(np.mean(crossed)),
        len(chosen),
    )


def share_text(found: list[Tried]) -> str:
    """The gains of recommended sets as shares of those of the best ones."""
    own, best, crossed = (
        np.array([getattr(tried, name) for tried in found])
        for name in ("recommended", "best", "crossed")
    )
    return (
        f"the recommended set gains {1000 * own.mean():.1f} millinats an evening"
        f" ({np.mean([tried.size for tried in found]):.1f} of {len(tried_options())} options),"
        f" {100 * own.mean() / best.mean():.1f}% of the best of its cost where that was found, and"
        f" {100 * own.mean() / crossed.mean():.1f}% of it in draws it was not found in"
    )


def study_text(model, people: int, seed: int, report: Callable[[str], None]) -> str:
    """The measurement in words. Arguments as for `try_all`."""
    found = try_all(model, people, seed, report)
    return (
        f"Plans for {people} simulated people with {KNOWN_DAYS} days of records, budgets of"
        f" {', '.join(f'{budget:g}' for budget in BUDGETS)} prompts a day, {TWINS} twins each;"
        f" {2 ** len(tried_options())} sets tried: {share_text(found)}."
    )
