"""Prompting study: log score of forecasts against prompts an evening, by policy, over weeks.

Everybody wears everything and, for a run-in of two weeks, is asked about every part of the day.
Then come four weeks with the same few prompts every evening for everybody, about now and yesterday,
or, for a price, with as many as are worth it. What they answer stays in their records. The log
probability of what followed, and who was asked about warning signs, say what a policy has
understood.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import tensorflow as tf

from aline_tf import batch_ops, draws
from aline_tf.batch import MISSING, OBSERVED
from aline_tf.evaluation.results import Result
from aline_tf.migraine.evaluation.acquisition_policies import (
    EVENING_DIARY,
    POLICIES,
    choose,
    scorer,
)
from aline_tf.migraine.evaluation.shortlist import best_proposals
from aline_tf.migraine.forecast.forecast import attack_probabilities
from aline_tf.migraine.schema.candidates import LIBRARY
from aline_tf.migraine.schema.channels import FORECASTS
from aline_tf.migraine.schema.evening_batch import candidate_designs
from aline_tf.migraine.simulation.cohort import Cohort
from aline_tf.migraine.simulation.recording import prompted_recording

RUN_IN, EVENINGS = 14, 28
#: Prompts an evening: of the model's policy, and of the others, which need more of them.
BUDGETS = (1, 2, 3, 4)
COMPARED = (0, 1, 2, 3, 4, 5, 6)
#: Prompts of the whole evening diary.
WHOLE_DIARY = len(EVENING_DIARY)
#: What a prompt must be expected to tell, nats per forecast, by the name of the policy that asks
#: for no less, and at most `BUDGETS[-1]` times an evening.
COST_WEIGHTS = {
    f"aline, {cost_weight:g} nats a prompt": cost_weight for cost_weight in (0.003, 0.012)
}
#: The model's policy alone, and with its proposals measured before one is made (see `shortlist`).
LEARNED = ("aline", "aline, looking ahead", *COST_WEIGHTS)
#: Every policy with its numbers of prompts. One-step EIG measures all prompts as looking ahead
#: measures the proposals, which takes four times as long.
STUDIED = {
    "aline": BUDGETS,
    "aline, looking ahead": BUDGETS[:-1],
    **dict.fromkeys(COST_WEIGHTS, BUDGETS[-1:]),
    "uncertainty": BUDGETS,
    "one-step EIG": BUDGETS[:1],
    "random": COMPARED,
    "evening diary": COMPARED,
}
PROMPTS = tuple(candidate for candidate in LIBRARY if candidate.is_prompt)
#: Policies that measure before they ask, with the arguments of `best_proposals`.
_MEASURED = {"aline, looking ahead": {}, "one-step EIG": {"count": len(PROMPTS)}}
_MEASURED |= {name: {"cost_weight": cost_weight} for name, cost_weight in COST_WEIGHTS.items()}
_DAYS_AGO, _FIELD = (
    np.array([getattr(prompt, name) for prompt in PROMPTS]) for name in ("days_ago", "field")
)
_WARNING = np.array([prompt.channel == "prodrome" for prompt in PROMPTS])


def prompting_study(model, cohort: Cohort, seed: int = 0, report=lambda line: None) -> dict:
    """Follows the model's policy, alone and looking ahead, and those it is compared with.

    All go through the same evenings. "uncertainty" asks for the answer that the model is least
    certain of, "one-step EIG" for the one it expects to tell most, of all prompts.

    Args:
        model: a migraine model, or a `Compiled`.
        cohort: whose last evening is day `RUN_IN + EVENINGS` or later.
        seed: of the random policy.
        report: called with a line of progress.

    Returns:
        by (policy, prompts an evening), as in `STUDIED`: dict of log_prob [S, 2], the mean log
        probability of what followed within 24 h and 48 h; prompts [S], how many an evening;
        warnings [S], the share of them about warning signs.
    """
    evenings = study_evenings(cohort)
    made = {}
    for policy, budgets in STUDIED.items():
        for budget in budgets:
            made[policy, budget] = _follow(model, cohort, evenings, policy, budget, seed)
            report(f"prompting: {policy}, {budget} an evening, done")
    return made


def prompting_rows(study: dict, feels_coming: np.ndarray) -> list[Result]:
    """Log scores by prompts an evening; which share of the other policies' prompts the model's
    saves for the same score; and warning prompts of those who feel attacks coming, bool [S], and
    of the others. Steps are the most prompts of an evening, "prompts" how many there were.
    """
    rows = []
    for (policy, budget), result in study.items():
        if policy in COST_WEIGHTS:
            rows.append(Result.of(policy, "prompting", budget, "prompts", result["prompts"]))
        for horizon, channel in enumerate(FORECASTS):
            score = result["log_prob"][:, horizon]
            rows.append(Result.of(policy, f"prompting: {channel.name}", budget, "log_prob", score))
        for group, members in (("yes", feels_coming), ("no", ~feels_coming)):
            if members.any() and budget:
                share = result["warnings"][members]
                target = f"prompting | feels attacks coming: {group}"
                rows.append(Result.of(policy, target, budget, "warning_share", share))
    for other in ("random", "evening diary"):
        for horizon, channel in enumerate(FORECASTS):
            curve = [_score(study[other, budget], horizon) for budget in COMPARED]
            for policy, budget in (key for key in study if key[0] in LEARNED):
                reached = _score(study[policy, budget], horizon)
                needed = prompts_needed(curve, reached)
                spent = study[policy, budget]["prompts"].mean()
                saved = 1.0 - spent / needed if needed > 0.0 else float("nan")
                target = f"prompting: {channel.name} | {policy}"
                rows.append(Result(other, target, budget, "prompts_saved", saved, float("nan"), 1))
    return rows + _rows_of_the_whole_diary(study)


def _rows_of_the_whole_diary(study: dict) -> list[Result]:
    """Which share of its prompts the model's policy saves where it gets to the diary's score."""
    rows = []
    budgets = [0, *(budget for policy, budget in study if policy == "aline")]
    for horizon, channel in enumerate(FORECASTS):
        # Without a prompt it does not matter who would have asked.
        by_budget = [study["aline" if budget else "evening diary", budget] for budget in budgets]
        curve = [_score(result, horizon) for result in by_budget]
        reached = _score(study["evening diary", WHOLE_DIARY], horizon)
        if max(curve) >= reached:
            saved = 1.0 - prompts_needed(curve, reached, budgets) / WHOLE_DIARY
            target = f"prompting: {channel.name} | aline, for the score of the whole diary"
            rows.append(
                Result(
                    "evening diary", target, WHOLE_DIARY, "prompts_saved", saved, float("nan"), 1
                )
            )
    return rows


def _score(result: dict, horizon: int) -> float:
    """Mean log score of the forecasts of one horizon."""
    return result["log_prob"][:, horizon].mean()


def prompts_needed(curve, reached: float, prompts=COMPARED) -> float:
    """Prompts an evening, between those of `prompts`, at which a curve first gets to a score; the
    most of them where it never does, so that a saving is not overstated."""
    for (few, low), (many, high) in pairwise(zip(prompts, curve, strict=True)):
        if high >= reached:
            share = (reached - low) / max(high - low, 1e-12)
            return few + (many - few) * min(max(share, 0.0), 1.0)
    return float(prompts[-1])


@dataclasses.dataclass(frozen=True)
class EveningRecords:
    """What every policy starts from at 20:00 of a day: the records of the run-in and the devices.

    Attributes:
        known_days: of the evening.
        outcome, status: [S, known_days, F].
        followed: [S, 2], 1 where an attack followed within 24 h and within 48 h.

    Example:
        >>> from aline_tf.migraine.evaluation import EveningRecords
        >>> from aline_tf.migraine.simulation.cohort import sample_cohort
        >>> cohort = sample_cohort(seed=0, people=2, days=6, first_evening=5)
        >>> EveningRecords(6, *cohort.records(6), cohort.followed(6)).followed.shape
        (2, 2)
    """

    known_days: int
    outcome: np.ndarray
    status: np.ndarray
    followed: np.ndarray


def study_evenings(
    cohort: Cohort, run_in: int = RUN_IN, devices: bool = True
) -> list[EveningRecords]:
    """The evenings after day `RUN_IN`, as everybody's records stand before any prompt.

    Args:
        cohort: whose last evening is day `RUN_IN + EVENINGS` or later.
        run_in: days with every part of the day asked about.
        devices: whether people wear everything, from the first day, or nothing.
    """
    people = cohort.people
    everybody = tf.ones([people], tf.bool)
    recording = prompted_recording(draws.as_seed(0), cohort.recording, everybody)
    recording |= {
        "passive": tf.fill(tf.shape(recording["passive"]), devices),
        "device_start": tf.zeros([people]),
        "run_in": tf.fill([people], run_in),
        "prompt_probability": tf.zeros_like(recording["prompt_probability"]),
    }
    study = dataclasses.replace(cohort, recording=recording)
    return [
        EveningRecords(day, *study.records(day), study.followed(day).astype(float))
        for day in range(RUN_IN + 1, RUN_IN + EVENINGS + 1)
    ]


class PromptingRun:
    """Prompts that one policy sends to everybody, evening after evening, and their outcomes.

    Args:
        cohort: S people.
        policy: one of `STUDIED`.
        generator: of the random policy.

    Attributes:
        prompts, warnings: [S], how many there were, and how many of them about warning signs.

    Example:
        >>> import numpy as np
        >>> from aline_tf.migraine.evaluation import EveningRecords, PromptingRun
        >>> from aline_tf.migraine.simulation.cohort import sample_cohort
        >>> cohort = sample_cohort(seed=0, people=2, days=6, first_evening=5)
        >>> evening = EveningRecords(6, *cohort.records(6), cohort.followed(6))
        >>> run = PromptingRun(cohort, "random", np.random.default_rng(0))
        >>> run.prompt(None, evening)
        >>> run.prompts.tolist()
        [1.0, 1.0]
    """

    def __init__(self, cohort: Cohort, policy: str, generator: np.random.Generator) -> None:
        self._cohort, self._policy, self._score = cohort, policy, None
        if policy in POLICIES:
            prompts = candidate_designs(PROMPTS, np.zeros(1, np.int32)).numpy()
            self._score = scorer(policy, prompts, generator)
        self._world = {
            name: np.asarray(cohort.world[name]) for name in ("value", "status_if_tried")
        }
        # Of what people would answer to each prompt.
        self._spread = np.maximum(self._world["value"].std(axis=(0, 1))[_FIELD], 1e-6)
        self._answered = np.full(self._world["value"].shape, MISSING, np.int32)
        self.prompts, self.warnings = np.zeros(cohort.people), np.zeros(cohort.people)

    def records(self, evening: EveningRecords) -> tuple[np.ndarray, np.ndarray]:
        """Values and status [S, days, F] of that evening, with what was answered by then."""
        answers = self._answered[:, : evening.known_days]
        status = np.where(answers != MISSING, answers, evening.status)
        value = self._world["value"][:, : evening.known_days]
        return np.float32(np.where(answers == OBSERVED, value, evening.outcome)), status

    def prompt(self, model, evening: EveningRecords, query: np.ndarray | None = None) -> None:
        """One prompt to everybody, or to those for whom it is worth its price: the one that the
        policy likes best of what is not known.

        Args:
            model: a migraine model, or a `Compiled`.
            evening: of `study_evenings`.
            query: bool [P], the parameters that it is after; None for the forecasts.
        """
        days = evening.known_days - 1 - _DAYS_AGO
        records = self.records(evening)
        left = records[1][:, days, _FIELD] == MISSING
        chosen = self._choice(model, evening, records, left, query)
        rows = np.flatnonzero(chosen >= 0)
        chosen = chosen[rows]
        day, field = days[chosen], _FIELD[chosen]
        self._answered[rows, day, field] = self._world["status_if_tried"][rows, day, field]
        self.prompts[rows] += 1
        self.warnings[rows] += _WARNING[chosen]

    def _choice(self, model, evening, records, left, query) -> np.ndarray:
        """Positions [S] among the prompts, of those that are `left` bool [S, N]; -1 for none."""

        def batch() -> dict:
            return _with_prompts(self._cohort, evening.known_days, records, left, query)

        if self._policy in _MEASURED:
            return best_proposals(model, batch(), _FIELD, **_MEASURED[self._policy])
        if self._policy == "uncertainty":
            return choose(self._unexplained(model, batch()), left)
        if self._score is None:
            raise ValueError(f"Expected a policy of {tuple(STUDIED)}. Received: {self._policy!r}")
        # Only the learned policy looks at the records.
        score = self._score(lambda: batch_ops.map_rows(model, batch())["candidate_logits"], left)
        return choose(score, left)

    def _unexplained(self, model, batch) -> np.ndarray:
        """Predictive standard deviation of every answer [S, N], in those of all people's answers:
        yes-or-no and graded ones have no other scale in common."""
        predicted = batch_ops.outcomes_at(
            batch_ops.drop_candidates(batch), batch["candidate_design"]
        )
        prediction = model.outcome_prediction(batch_ops.map_rows(model, predicted), predicted)
        return prediction.mean_sd()[1].numpy() / self._spread


def _follow(model, cohort, evenings, policy, budget, seed) -> dict:
    run = PromptingRun(cohort, policy, np.random.default_rng([seed, budget]))
    log_prob = np.zeros([cohort.people, len(FORECASTS)])
    for evening in evenings:
        for _ in range(budget):
            run.prompt(model, evening)
        batch = cohort.batch(evening.known_days, run.records(evening))
        probability = np.clip(attack_probabilities(model, batch), 1e-6, 1.0 - 1e-6)
        log_prob += np.log(np.where(evening.followed > 0.5, probability, 1.0 - probability))
    return {
        "log_prob": log_prob / len(evenings),
        "prompts": run.prompts / len(evenings),
        "warnings": run.warnings / np.maximum(run.prompts, 1.0),
    }


def _with_prompts(cohort, known_days, records, left, query) -> dict:
    """The batch of that evening, with every prompt as a candidate; its targets are the forecasts,
    or the parameters `query` bool [P]."""
    batch = cohort.batch(known_days, records)
    forecasts, parameters = batch["target_mask"], batch["theta_mask"]
    return batch | {
        "target_mask": forecasts & (query is None),
        "theta_mask": parameters & (False if query is None else query),
        "candidate_design": candidate_designs(PROMPTS, cohort.weekday(known_days)).numpy(),
        "candidate_mask": left,
    }
