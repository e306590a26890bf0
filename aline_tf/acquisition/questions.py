"""What passes between a session and its user: questions, answers, marginals."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np

from aline_tf.models.protocol import QUANTILE_LEVELS


class Question(NamedTuple):
    """What to acquire next.

    Attributes:
        index: position in the session's pool.
        design: [D], natural units.
        score: of the policy, after costs were weighed; None where the policy has no scores.
        probability: softmax of the scores over what is left of the pool; None likewise.
        cost: burden, in units of one prompt.
        gain: expected information of its answer in nats, where it was asked for
            (`Session.ask(gain=True)`); None otherwise.

    Example:
        >>> from aline_tf.acquisition import Question
        >>> Question(index=2, design=[0.5], score=None, probability=None, cost=1.0).index
        2
    """

    index: int
    design: np.ndarray
    score: float | None
    probability: float | None
    cost: float
    gain: float | None = None


class Answer(NamedTuple):
    """What was observed.

    Attributes:
        design: [D], natural units.
        outcome: [F], natural units; 0 where it was not observed.
        status: int [F], MISSING, OBSERVED or NO_ANSWER (`aline_tf.batch`).
        index: of the candidate in its pool; None for a design of one's own.
        pool: how often the pool had been changed by then.
        time: when it was told, UTC; None in states of older versions.
        was_pending: whether it answered a question that `Session.ask` had put.

    Example:
        >>> from aline_tf.acquisition import Answer
        >>> Answer([0.5], [1.0], [1]).index is None
        True
    """

    design: np.ndarray
    outcome: np.ndarray
    status: np.ndarray
    index: int | None = None
    pool: int = 0
    time: datetime | None = None
    was_pending: bool = False


class Marginal(NamedTuple):
    """One marginal of a posterior or a prediction.

    Attributes:
        mean, sd: in natural units.
        quantiles: at `quantile_levels`.
        probability: P(1) of a binary, P(not 0) of a spike-and-slab parameter, 1 otherwise.
        quantile_levels: the levels.

    Example:
        >>> from aline_tf.acquisition import Marginal
        >>> threshold = Marginal(0.1, 0.2, (-0.2, 0.0, 0.1, 0.2, 0.4), 1.0)
        >>> dict(zip(threshold.quantile_levels, threshold.quantiles, strict=True))[0.95]
        0.4
    """

    mean: float
    sd: float
    quantiles: tuple[float, ...]
    probability: float
    quantile_levels: tuple[float, ...] = QUANTILE_LEVELS
