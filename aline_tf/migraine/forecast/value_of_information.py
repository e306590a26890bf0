"""Value of information of each candidate: expected gain by one-step look-ahead, less its burden.

    gain(c)   = H[A | D] - sum_y p(y | D) H[A | D, (c, y)]
    value(c)  = gain(c) - cost_weight * cost(c)

A is when the first attack comes: within 24 hours, within 48, or later. The answers y to a candidate
c come from the model's own p(y | c, D): every one of them where they can be counted, else values
at evenly spaced levels of the distribution. Each is appended to the context, and the forecast is
made again; a gain supposes that the answer is given. p(A | D) is the mean of p(A | D, (c, y)) over
y; where the model keeps to that only approximately, its forecasts are shifted until it holds, so
that a gain is never negative and never an artefact of one more token. Nothing is drawn: the same
history gives the same answer.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from aline_tf import batch_ops
from aline_tf.migraine.forecast.forecast import attack_probabilities, recentred, towards_forecasts
from aline_tf.migraine.schema.candidates import Candidate
from aline_tf.migraine.schema.channels import CHANNEL

#: Values tried for a continuous answer.
NUM_OUTCOMES = 12
#: How many of the policy's proposals are looked at first.
PROPOSALS = 10
#: A policy this close to even-handed (entropy over log N) has no opinion.
FLAT = 0.995


@dataclasses.dataclass(frozen=True)
class PredictedOutcome:
    """One outcome that a candidate could show.

    Attributes:
        value: in natural units.
        probability: of it, in [0, 1].
        risk_24h: the probability of an attack within 24 hours after it.

    Example:
        >>> from aline_tf.migraine.forecast import PredictedOutcome
        >>> PredictedOutcome(value=1.0, probability=0.2, risk_24h=0.63).risk_24h
        0.63
    """

    value: float
    probability: float
    risk_24h: float


@dataclasses.dataclass(frozen=True)
class ValuedCandidate:
    """A data point that could be acquired, and what it is worth.

    Attributes:
        candidate: which one.
        outcomes: what it could show, in order of value.
        gain: expected information about the two forecasts, in nats.
        cost: burden, in units of one prompt.
        value: gain - cost_weight * cost, in nats.
        policy_rank: place among the policy's proposals, 1 the first.
        proposed: whether it is among the first `PROPOSALS` of a policy that has an opinion.

    Example:
        >>> from aline_tf.migraine.forecast import ValuedCandidate
        >>> from aline_tf.migraine.schema.candidates import Candidate
        >>> stress = Candidate("stress", days_ago=0, slot=3)
        >>> valued = ValuedCandidate(stress, (), 0.01, stress.cost, 0.009, 1, proposed=True)
        >>> valued.candidate.label
        'Stress now'
    """

    candidate: Candidate
    outcomes: tuple[PredictedOutcome, ...]
    gain: float
    cost: float
    value: float
    policy_rank: int
    proposed: bool


def value_candidates(
    model, batch: dict, candidates: list[Candidate], cost_weight: float
) -> list[ValuedCandidate]:
    """Every candidate, the most valuable first.

    Args:
        model: an ALINE of the migraine task.
        batch: one row whose first two targets are the forecasts, from `history_batch`.
        candidates: those of `candidate_design`, in order.
        cost_weight: nats that one unit of burden has to be worth.
    """
    if not candidates:
        return []
    ranks, opinion = policy_ranks(model, batch)
    likely = predicted_outcomes(model, batch, candidates)
    now = attack_probabilities(model, batch)
    after = _forecasts_after(model, batch, candidates, likely)
    found = []
    for index, candidate in enumerate(candidates):
        values, weights = likely[index]
        risks = recentred(after[index][None], weights[None], now)[0]
        gain = information(risks, weights)
        outcomes = tuple(
            PredictedOutcome(*row)
            for row in zip(values.tolist(), weights.tolist(), risks[:, 0], strict=True)
        )
        found.append(
            ValuedCandidate(
                candidate=candidate,
                outcomes=outcomes,
                gain=gain,
                cost=candidate.cost,
                value=gain - cost_weight * candidate.cost,
                policy_rank=int(ranks[index]),
                proposed=not opinion or bool(ranks[index] <= PROPOSALS),
            )
        )
    return sorted(found, key=lambda valued: -valued.value)


def worth_asking(found: list[ValuedCandidate], count: int = 3) -> list[ValuedCandidate]:
    """The most valuable of the policy's proposals, different channels first.

    What is worth more than every proposal is let in too: the policy may not hide the best. A second
    reading of the same channel tells less than its own gain, which supposes that the first was not
    made; it comes after other channels, but before anything that is not worth its burden. When the
    proposals run out, the rest follow by value.

    Args:
        found: from `value_candidates`, the most valuable first.
        count: how many at most.
    """
    best = max((valued.value for valued in found if valued.proposed), default=-np.inf)
    first = [valued.proposed or valued.value > best for valued in found]
    ordered = [valued for valued, early in zip(found, first, strict=True) if early]
    ordered += [valued for valued, early in zip(found, first, strict=True) if not early]
    fresh: list[ValuedCandidate] = []
    repeats: list[ValuedCandidate] = []
    worthless: list[ValuedCandidate] = []
    for valued in ordered:
        if valued.value <= 0.0:
            worthless.append(valued)
        elif valued.candidate.channel in {other.candidate.channel for other in fresh}:
            repeats.append(valued)
        else:
            fresh.append(valued)
    return (fresh + repeats + worthless)[:count]


def policy_ranks(model, batch: dict) -> tuple[np.ndarray, bool]:
    """Places [N] of the candidates in the policy's order (1 first), and whether it has an opinion.

    The policy is asked for what helps the two forecasts.
    """
    logits = batch_ops.map_rows(model, towards_forecasts(batch))["candidate_logits"][0].astype(
        np.float64
    )
    ranks = np.empty(len(logits), int)
    ranks[np.argsort(-logits, kind="stable")] = np.arange(1, len(logits) + 1)
    chance = np.exp(logits - logits.max())
    chance /= chance.sum()
    entropy = -np.sum(chance * np.log(np.maximum(chance, 1e-30)))
    return ranks, len(logits) > 1 and bool(entropy < FLAT * np.log(len(logits)))


def predicted_outcomes(model, batch: dict, candidates: list[Candidate]) -> list[tuple]:
    """For each candidate, (values [S], probabilities [S]) of its answers under p(y | c, D)."""
    predicted = batch_ops.outcomes_at(batch_ops.drop_candidates(batch), batch["candidate_design"])
    prediction = model.outcome_prediction(batch_ops.map_rows(model, predicted), predicted)
    levels = (np.arange(NUM_OUTCOMES) + 0.5) / NUM_OUTCOMES
    mean, _ = (part.numpy()[0].astype(np.float64) for part in prediction.mean_sd())
    categories = prediction.category_probabilities().numpy()[0].astype(np.float64)
    spaced = prediction.quantiles(tuple(levels.tolist())).numpy()[0].astype(np.float64)
    found = []
    for index, candidate in enumerate(candidates):
        channel = CHANNEL[candidate.channel]
        if channel.kind == "binary":
            values, weights = np.array([0.0, 1.0]), np.array([1.0 - mean[index], mean[index]])
        elif channel.kind == "ordered":
            values, weights = np.arange(channel.levels, dtype=float), categories[index]
            weights = np.maximum(weights[: channel.levels], 0.0)
        else:
            values, weights = spaced[index], np.ones(NUM_OUTCOMES)
        found.append((values, weights / weights.sum()))
    return found


def information(risks: np.ndarray, weights: np.ndarray) -> float:
    """Nats that the answers carry about when the first attack comes.

    Args:
        risks: [S, 2] risk within 24 and 48 h after each answer.
        weights: [S] probability of each answer.

    Returns:
        entropy of the mean forecast minus mean entropy of the forecasts, which is not negative.
    """
    first = risks[:, 0]
    within = np.maximum(risks[:, 1], first)
    when = np.stack([first, within - first, 1.0 - within], axis=1)

    def entropy(p):
        return -np.sum(p * np.log(np.maximum(p, 1e-30)), axis=-1)

    return max(0.0, float(entropy(weights @ when) - weights @ entropy(when)))


def _forecasts_after(model, batch, candidates, likely) -> list[np.ndarray]:
    """p(attack | D, (c, y)) for every candidate and answer: one [S, 2] array per candidate."""
    counts = [len(values) for values, _ in likely]
    which = np.repeat(np.arange(len(candidates)), counts)
    field = np.array([candidate.field for candidate in candidates])[which]
    value = np.concatenate([values for values, _ in likely])
    base = batch_ops.repeat(batch_ops.drop_candidates(batch), len(which))
    design = batch["candidate_design"][0][which]
    token = batch_ops.one_field(field, value, model.spec.sizes["F"])
    after = attack_probabilities(model, batch_ops.append(base, design, *token))
    return np.split(after, np.cumsum(counts)[:-1])
