"""Whether plans are good: the recommended set beside the best of its cost, found by trying all.

    quality = sum over people of gain(recommended set)
              / sum over people of max { gain(S) : S costs no more than the recommended set }

The set is recommended as `aline-tf migraine plan` does it, on as many of a person's twins. Every
affordable set of the same options is then tried on fresh twins, and those that are not clearly
worse than the best on so many more that luck decides little. "Best" is the one with the largest
gain among the very twins that judge it: it profits from what luck is left, which makes the quality
lower than the truth (a set left out early is seldom the best, and then by little). Judged in the
half of the twins in which it was not found, the best set is on average at most as good as the truly
best one; that quality errs the other way. Both are told.

Gains are those that the model and the person's twins expect: the measurement is of the search and
of its luck, not of whether the simulator is right.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import combinations

import numpy as np

from aline_tf.migraine.forecast.plan import TWINS, Gain, Option, Scores, recommended
from aline_tf.migraine.forecast.twins import live_twins
from aline_tf.migraine.records.days import DayHistory
from aline_tf.migraine.schema.channels import CHANNEL, WEARABLE_NAMES, places
from aline_tf.migraine.simulation.cohort import Cohort, sample_cohort

#: Days that people have recorded.
KNOWN_DAYS = 42
#: Fresh twins on which all sets are tried, and further ones for those that may be the best.
TRIED_ON, JUDGED_ON = 128, 384
#: Standard errors, of the difference between twins, by which a set is clearly worse.
CLEARLY = 2.0
#: Resamples of people for the interval of the quality.
RESAMPLES = 2000
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
        recommended: gain of the recommended set, on the twins on which the best is found.
        best: the largest gain there, of a set that costs no more.
        crossed: gain of the best set of either half of those twins, in the other half.
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
    found = []
    for person in range(people):
        history = person_history(cohort, person)

        def scores(twins: int, draw: int, history=history, person=person) -> Scores:
            return Scores(model, live_twins(model, history, twins, 3 * person + draw))

        advice = recommended(scores(TWINS, 0), BUDGETS[person % len(BUDGETS)], offered)
        fresh = (scores(TRIED_ON, 1), scores(JUDGED_ON, 2))
        found.append(_compared(*fresh, affordable_sets(offered, advice.cost), advice))
        if person % 10 == 9:
            report(f"{person + 1} of {people} people: {share_text(found)}")
    return found


def affordable_sets(offered: Sequence[Option], cost: float) -> list[tuple[Option, ...]]:
    """All sets of the options that cost no more, the empty one among them."""
    return [
        chosen
        for count in range(len(offered) + 1)
        for chosen in combinations(offered, count)
        if sum(option.cost for option in chosen) <= cost + 1e-9
    ]


def person_history(cohort: Cohort, person: int) -> DayHistory:
    """One person's records at 20:00 of the cohort's last day."""
    values, status = (table[person] for table in cohort.records(cohort.days))
    last = date(2025, 3, 3) + timedelta(int(cohort.weekday(cohort.days)[person]))
    dates = tuple(last - timedelta(days=ago) for ago in range(cohort.days - 1, -1, -1))
    return DayHistory(values, status, dates, datetime(last.year, last.month, last.day, 20))


def _compared(tried_on: Scores, judged_on: Scores, sets, advice: Gain) -> Tried:
    """The recommended set beside the best of `sets`, which it is one of."""
    by_twin = _by_twin(tried_on, sets)
    less = by_twin[by_twin.mean(axis=1).argmax()] - by_twin
    error = less.std(axis=1) / np.sqrt(less.shape[1])
    contenders = [
        chosen
        for chosen, worse in zip(sets, less.mean(axis=1) > CLEARLY * error, strict=True)
        if not worse or set(chosen) == set(advice.options)
    ]
    gains = np.concatenate([_by_twin(scores, contenders) for scores in (tried_on, judged_on)], 1)
    own = next(n for n, chosen in enumerate(contenders) if set(chosen) == set(advice.options))
    halves = gains[:, ::2], gains[:, 1::2]
    crossed = [
        other[int(half.mean(axis=1).argmax())].mean() for half, other in (halves, halves[::-1])
    ]
    return Tried(
        float(gains[own].mean()),
        float(gains.mean(axis=1).max()),
        float(np.mean(crossed)),
        len(advice.options),
    )


def _by_twin(scores: Scores, sets) -> np.ndarray:
    """Gains [sets, K] in log score."""
    scores(sets)
    return np.stack([scores.by_twin(chosen) for chosen in sets])


def quality(found: Sequence[Tried], against: str, seed: int = 0) -> tuple[float, float, float]:
    """Gain of recommended sets as a share of that of the best ones, with a 90% interval over
    people.

    Args:
        found: one a person.
        against: "best" or "crossed", of a `Tried`.
        seed: of the resamples.

    Returns:
        (share, low, high); not a number where the best sets gain nothing.
    """
    own = np.array([tried.recommended for tried in found])
    other = np.array([getattr(tried, against) for tried in found])
    which = np.random.default_rng(seed).integers(len(found), size=[RESAMPLES, len(found)])
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.nanquantile(own[which].mean(1) / other[which].mean(1), (0.05, 0.95))
        return float(own.mean() / other.mean()), float(low), float(high)


def share_text(found: Sequence[Tried]) -> str:
    """The gains of recommended sets as shares of those of the best ones."""
    gain = 1000 * np.mean([tried.recommended for tried in found])
    size = np.mean([tried.size for tried in found])
    best, crossed = (
        "{:z.1f}% (90% interval {:z.1f} to {:z.1f})".format(
            *(100 * part for part in quality(found, against))
        )
        for against in ("best", "crossed")
    )
    return (
        f"the recommended set gains {gain:z.1f} millinats an evening ({size:.1f} of"
        f" {len(tried_options())} options), {best} of the best of its cost where that was found,"
        f" and {crossed} of it in draws it was not found in"
    )


def study_text(model, people: int, seed: int, report: Callable[[str], None]) -> str:
    """The measurement in words. Arguments as for `try_all`."""
    found = try_all(model, people, seed, report)
    return (
        f"Plans for {people} simulated people with {KNOWN_DAYS} days of records, budgets of"
        f" {', '.join(f'{budget:g}' for budget in BUDGETS)} prompts a day, {TWINS} twins each;"
        f" of {2 ** len(tried_options())} sets all that cost no more tried on {TRIED_ON} others,"
        f" those near the best on {JUDGED_ON} more: {share_text(found)}."
    )
