"""When to prompt: what prompts tell at the times of the scheduler, and as many at fixed hours.

Simulated people who wear everything are followed for four weeks after a run-in. Each may be
prompted so often a week and once an evening, about what is expected to tell most. The scheduler
(`aline_tf.migraine.interview.prompt_schedule`) sends a prompt where it tells more now than one that
is kept is expected to. Beside it everybody gets as many prompts on evenly spaced evenings, twice:
about what is expected to tell most on that evening, which leaves the time alone to be compared; and
about everything in turn, as a diary asks at fixed hours. What the evenings of a week offered tells
how much the time could do at most: nobody knows the best ones before the week is over. Answers stay
in the records. What a prompt tells is the gain that is expected of it when it is sent, in nats a
forecast, and what became of it: by how much the log probability of what followed rose with the
answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from aline_tf.batch import MISSING, OBSERVED
from aline_tf.migraine.evaluation.prompting import EveningRecords, study_evenings
from aline_tf.migraine.evaluation.shortlist import proposal_gains
from aline_tf.migraine.forecast.forecast import attack_probabilities
from aline_tf.migraine.interview.prompt_schedule import ask_now
from aline_tf.migraine.schema.candidates import LIBRARY
from aline_tf.migraine.schema.evening_batch import candidate_designs
from aline_tf.migraine.simulation.cohort import Cohort, sample_cohort

RUN_IN, EVENINGS, WEEK = 14, 28, 7
#: Prompts a week that are tried.
WEEKS = (1, 3)
#: Nats per forecast that asking takes.
LEAST = 0.0005
SCHEDULED, FIXED, IN_TURN = "scheduled", "fixed times", "fixed times, in turn"
PROMPTS = tuple(candidate for candidate in LIBRARY if candidate.is_prompt)
_AGO = np.array([prompt.days_ago for prompt in PROMPTS])
_FIELD = np.array([prompt.field for prompt in PROMPTS])


@dataclasses.dataclass(frozen=True)
class PromptTimes:
    """What prompts told.

    Attributes:
        sent: [S], prompts of each person.
        gain: [S], mean gain that was expected of each of them; NaN where none was sent.
        rise: [S], mean rise of the log probability of what followed, in the same way.
        offered: [S, evenings], gain of the best question of each evening, asked or not; 0 where
            nothing could be asked.
    """

    sent: np.ndarray
    gain: np.ndarray
    rise: np.ndarray
    offered: np.ndarray

    def in_hindsight(self, week: int) -> float:
        """Mean gain of as many prompts a week on its best evenings, over that of all evenings.

        Args:
            week: prompts a week.
        """
        evenings = self.offered.shape[1] // WEEK * WEEK
        weeks = self.offered[:, :evenings].reshape(len(self.offered), -1, WEEK)
        best = np.sort(weeks, axis=2)[:, :, -week:]
        return float(best.mean() / weeks.mean())


def prompt_times(
    model, people: int, week: int, seed: int = 0, report: Callable[[str], None] = lambda line: None
) -> dict[str, PromptTimes]:
    """What prompts tell at the times of the scheduler, and as many at fixed hours.

    Args:
        model: a migraine model, or a `Compiled`.
        people: how many are simulated.
        week: prompts a week at most.
        seed: of the people.
        report: called with a line of progress.

    Returns:
        "scheduled", "fixed times" and "fixed times, in turn", the same numbers of prompts for
        everybody in all of them.
    """
    cohort = sample_cohort(seed, people, RUN_IN + EVENINGS + 2, RUN_IN)
    evenings = study_evenings(cohort, RUN_IN)[:EVENINGS]
    scheduler = _Scheduler(people, week)
    found = {SCHEDULED: _follow(model, cohort, evenings, scheduler.asks)}
    report(f"{SCHEDULED}: done")
    counts = found[SCHEDULED].sent.astype(int)
    for name in (FIXED, IN_TURN):
        found[name] = _follow(
            model, cohort, evenings, lambda night, gain: _evenly(night, counts), name == IN_TURN
        )
        report(f"{name}: done")
    return found


def format_prompt_times(found: dict[str, PromptTimes], week: int) -> str:
    """A table: prompts, what they told each, and by how much the scheduled ones tell more.

    Args:
        found: of `prompt_times`.
        week: prompts a week at most.
    """
    scheduled = found[SCHEDULED]
    some = scheduled.sent > 0
    lines = [f"{'':22s}{'prompts':>9s}{'expected gain':>17s}{'rise of log score':>22s}"]
    for name, times in found.items():
        gain, rise = (values[some] for values in (times.gain, times.rise))
        lines.append(
            f"{name:22s}{times.sent.mean():9.1f}{1000 * gain.mean():11.2f} mnats"
            f"{1000 * rise.mean():10.2f} ± {1960 * rise.std() / some.sum() ** 0.5:.2f} mnats"
        )
    for name in (FIXED, IN_TURN):
        more = scheduled.gain[some].mean() / found[name].gain[some].mean() - 1.0
        lines.append(f"scheduled prompts are expected to tell {more:+.0%} each, beside {name}")
    best = scheduled.in_hindsight(week) - 1.0
    lines.append(
        f"on the best evenings of every week, in hindsight: {best:+.0%} beside all evenings"
    )
    return "\n".join(lines)


class _Scheduler:
    """Decides for everybody, by what the evenings before offered."""

    def __init__(self, people: int, week: int):
        self._week = week
        self._offered: list[np.ndarray] = []
        self._sent: list[np.ndarray] = [np.zeros(people, bool)]

    def asks(self, night: int, gain: np.ndarray) -> np.ndarray:
        """Who is prompted, bool [S], of the gains [S] that they offer this evening."""
        left = self._week - np.sum(self._sent[-(WEEK - 1) :], axis=0)
        past = np.stack(self._offered, axis=1) if self._offered else np.zeros((len(gain), 0))
        now = [
            ask_now(float(g), before[np.isfinite(before)].tolist(), WEEK, int(k), LEAST)
            for g, before, k in zip(gain, past, left, strict=True)
        ]
        self._offered.append(gain)
        self._sent.append(np.array(now))
        return self._sent[-1]


def _evenly(night: int, counts: np.ndarray) -> np.ndarray:
    """Who is prompted on evening `night` of `EVENINGS` so that everybody is `counts` [S] times."""
    return (night + 1) * counts // EVENINGS > night * counts // EVENINGS


def _follow(
    model,
    cohort: Cohort,
    evenings: list[EveningRecords],
    asks: Callable[[int, np.ndarray], np.ndarray],
    in_turn: bool = False,
) -> PromptTimes:
    """What prompts tell on the evenings for which `asks` says so, about the best question or about
    all of them in turn."""
    world = {name: np.asarray(cohort.world[name]) for name in ("value", "status_if_tried")}
    answered = np.full(world["value"].shape, MISSING, np.int32)
    sent, gains, rises = np.zeros((3, cohort.people))
    offers = []
    for night, evening in enumerate(evenings):
        records = _records(world["value"], answered, evening)
        days = evening.known_days - 1 - _AGO
        batch = cohort.batch(evening.known_days, records) | {
            "candidate_design": candidate_designs(
                PROMPTS, cohort.weekday(evening.known_days)
            ).numpy(),
            "candidate_mask": records[1][:, days, _FIELD] == MISSING,
        }
        batch["theta_mask"] = np.zeros_like(batch["theta_mask"])
        if in_turn:
            batch["candidate_mask"] = _next_in_turn(batch["candidate_mask"], sent)
        proposals, gain = proposal_gains(model, batch, _FIELD)
        best = gain.argmax(axis=1)
        offered = gain.max(axis=1)
        offers.append(np.where(np.isfinite(offered), offered, 0.0))
        rows = np.flatnonzero(asks(night, offered) & np.isfinite(offered))
        chosen = proposals[rows, best[rows]]
        before = _log_probability(model, cohort, evening, records)
        day, field = days[chosen], _FIELD[chosen]
        answered[rows, day, field] = world["status_if_tried"][rows, day, field]
        after = _log_probability(
            model, cohort, evening, _records(world["value"], answered, evening)
        )
        sent[rows] += 1
        gains[rows] += offered[rows]
        rises[rows] += (after - before)[rows]
    some = np.where(sent > 0, sent, np.nan)
    return PromptTimes(sent, gains / some, rises / some, np.stack(offers, axis=1))


def _next_in_turn(allowed: np.ndarray, sent: np.ndarray) -> np.ndarray:
    """Bool [S, N], only the first allowed question from where the turn has come after `sent`
    prompts [S]."""
    count = allowed.shape[1]
    order = (np.arange(count) + sent[:, None].astype(int)) % count
    first = np.take_along_axis(allowed, order, axis=1).argmax(axis=1)
    chosen = np.take_along_axis(order, first[:, None], axis=1)
    return allowed & (np.arange(count) == chosen)


def _records(value: np.ndarray, answered: np.ndarray, evening: EveningRecords):
    """Values and status [S, days, F] of an evening, with what was answered by then."""
    answers = answered[:, : evening.known_days]
    status = np.where(answers != MISSING, answers, evening.status)
    known = np.where(answers == OBSERVED, value[:, : evening.known_days], evening.outcome)
    return np.float32(known), status


def _log_probability(model, cohort: Cohort, evening: EveningRecords, records) -> np.ndarray:
    """Mean log probability [S] of what followed within 24 h and 48 h."""
    batch = cohort.batch(evening.known_days, records)
    probability = np.clip(attack_probabilities(model, batch), 1e-6, 1.0 - 1e-6)
    followed = evening.followed > 0.5
    return np.log(np.where(followed, probability, 1.0 - probability)).mean(axis=1)
