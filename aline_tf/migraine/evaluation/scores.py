"""Scores of probability forecasts, with intervals from a bootstrap over people.

Sizes: S people, K evenings. Evenings of one person resemble each other, so a resample draws whole
people; it enters every score as a weight per person, 1 for everybody in the plain score.
Scores that do not exist (an AUC without events, a slope of a constant forecast) are NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: Resamples of people behind every interval.
RESAMPLES = 200
BINS = 10
#: Evenings of either kind that a person needs to have an AUC of their own.
ENOUGH_OF_EACH = 3
_Z95 = 1.959963984540054
_CLOSEST = 1e-6  # probabilities are kept this far from 0 and 1 in logits and logarithms
_NEWTON_STEPS = 8

Score = Callable[[np.ndarray], float]


def interval(score: Score, people: int, seed: int = 0) -> tuple[float, float]:
    """A score and the half-width of its 95% interval.

    Args:
        score: from weights [S] to a number.
        people: S.
        seed: of the resamples; equal seeds draw the same people for every score.

    Returns:
        (score of everybody, 1.96 standard deviations over the resamples in which it exists).
    """
    value = score(np.ones(people))
    generator = np.random.default_rng(seed)
    drawn = [
        score(np.bincount(generator.integers(0, people, people), minlength=people).astype(float))
        for _ in range(RESAMPLES)
    ]
    exist = [number for number in drawn if np.isfinite(number)]
    if not np.isfinite(value) or len(exist) < 2:
        return value, float("nan")
    return value, float(_Z95 * np.std(exist, ddof=1))


def auc(probability: np.ndarray, event: np.ndarray, kept: np.ndarray | None = None) -> Score:
    """Chance that an evening with an event has the higher forecast than one without; ties half.

    Args:
        probability, event: [S, K].
        kept: bool [S, K], the evenings that count.
    """
    person, probability, event = _flat(probability, event, kept)
    levels, level = np.unique(probability, return_inverse=True)

    def score(weight):
        weight = weight[person]
        positive = np.bincount(level, weight * event, len(levels))
        negative = np.bincount(level, weight * (1.0 - event), len(levels))
        won = positive @ (np.cumsum(negative) - 0.5 * negative)
        return _ratio(won, positive.sum() * negative.sum())

    return score


def within_auc(
    probability: np.ndarray, event: np.ndarray, kept: np.ndarray | None = None
) -> tuple[Score, int]:
    """The mean of each person's own AUC, weighted by pairs, and how many people have one.

    Only differences between evenings of one person count: knowing who has many attacks is worth
    nothing here. People need 3 evenings with and 3 without an event.
    """
    kept = np.ones(event.shape, bool) if kept is None else kept
    won, pairs = np.zeros(len(event)), np.zeros(len(event))
    for person, counts in enumerate(kept):
        yes = counts & (event[person] > 0.5)
        with_event, without = probability[person, yes], probability[person, counts & ~yes]
        if min(len(with_event), len(without)) >= ENOUGH_OF_EACH:
            above = with_event[:, None] - without[None, :]
            won[person] = np.sum(above > 0) + 0.5 * np.sum(above == 0)
            pairs[person] = above.size
    return (lambda weight: _ratio(weight @ won, weight @ pairs)), int(np.sum(pairs > 0))


def brier(probability: np.ndarray, event: np.ndarray) -> Score:
    """Mean squared difference between forecast and event."""
    return _mean(np.square(probability - event))


def brier_skill(probability: np.ndarray, event: np.ndarray, reference: np.ndarray | float) -> Score:
    """1 minus the Brier score over that of `reference`, a forecast for every evening."""
    ours, theirs = _mean(np.square(probability - event)), _mean(np.square(reference - event))
    return lambda weight: 1.0 - _ratio(ours(weight), theirs(weight))


def log_prob(probability: np.ndarray, event: np.ndarray) -> Score:
    """Mean log probability of what happened, in nats an evening."""
    return _mean(log_probs(probability, event))


def log_probs(probability: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Log probability of what happened, forecast by forecast, in nats; of any shape."""
    inside = np.clip(probability, _CLOSEST, 1.0 - _CLOSEST)
    return np.where(event > 0.5, np.log(inside), np.log1p(-inside))


def ece(probability: np.ndarray, event: np.ndarray) -> Score:
    """Expected calibration error over 10 bins of equal mass; equal forecasts share a bin."""
    person, probability, event = _flat(probability, event, None)
    edges = np.quantile(probability, np.linspace(0.0, 1.0, BINS + 1)[1:-1])
    which = np.searchsorted(edges, probability, side="right")

    def score(weight):
        weight = weight[person]
        gap = np.bincount(which, weight * (probability - event), BINS)
        return _ratio(np.abs(gap).sum(), weight.sum())

    return score


def calibration(probability: np.ndarray, event: np.ndarray) -> tuple[Score, Score]:
    """Slope and intercept of a logistic regression of the event on the forecast's logit.

    1 and 0 are right; a slope below 1 means forecasts too far from the mean.
    """
    person, probability, event = _flat(probability, event, None)
    inside = np.clip(probability, _CLOSEST, 1.0 - _CLOSEST)
    logit = np.log(inside) - np.log1p(-inside)
    varies = np.ptp(logit) > 1e-9
    cache: dict[bytes, tuple[float, float]] = {}

    def fit(weight):
        key = weight.tobytes()
        if key not in cache:
            weight = weight[person]
            both = 0.0 < weight @ event < weight.sum()
            missing = (float("nan"), float("nan"))
            cache[key] = _logistic(logit, event, weight) if varies and both else missing
        return cache[key]

    return (lambda weight: fit(weight)[1]), (lambda weight: fit(weight)[0])


def _logistic(logit, event, weight) -> tuple[float, float]:
    """Intercept and slope by Newton's method, from a perfectly calibrated start."""
    intercept, slope = 0.0, 1.0
    for _ in range(_NEWTON_STEPS):
        fitted = 1.0 / (1.0 + np.exp(-np.clip(intercept + slope * logit, -30.0, 30.0)))
        residual = weight * (event - fitted)
        curvature = weight * fitted * (1.0 - fitted)
        bent = curvature * logit
        hessian = np.array([[curvature.sum(), bent.sum()], [bent.sum(), bent @ logit]])
        gradient = np.array([residual.sum(), residual @ logit])
        # A trace of ridge: nearly constant forecasts must not divide by nothing.
        step = np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
        intercept, slope = intercept + step[0], slope + step[1]
        if np.abs(step).max() < 1e-6:
            break
    return float(intercept), float(slope)


def _flat(probability, event, kept):
    """Person index, forecast and event of the evenings that count, one after the other."""
    kept = np.ones(event.shape, bool) if kept is None else kept
    return np.nonzero(kept)[0], probability[kept].astype(float), event[kept].astype(float)


def _mean(values: np.ndarray) -> Score:
    total, count = values.sum(axis=1), np.full(len(values), values.shape[1], float)
    return lambda weight: _ratio(weight @ total, weight @ count)


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator > 0 else float("nan")
