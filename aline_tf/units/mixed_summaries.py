"""Means, standard deviations and quantiles of an even mixture of distributions, each known by its
own summaries alone.

Between its quantiles, and beyond them, the normal score of a distribution is taken to be linear: of
a normal distribution that is exact, and a served model's answers suffice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

#: Halvings of an interval some eight standard deviations wide.
_HALVINGS = 40
_WIDEST = 5.0
_TINY = 1e-12


def mixed_summaries(
    mean: np.ndarray, sd: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All of them of an even mixture of K distributions: [...], [...] and [..., Q].

    Args:
        mean, sd: [K, ...].
        quantiles: [K, ..., Q].
        levels: Q levels in (0, 1), ascending.
    """
    return *mixed_mean_sd(mean, sd), mixed_quantiles(quantiles, levels)


def mixed_mean_sd(mean: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of an even mixture of K distributions: two [...].

    Args:
        mean, sd: [K, ...].
    """
    middle = mean.mean(axis=0)
    variance = (np.square(sd) + np.square(mean - middle)).mean(axis=0)
    return middle, np.sqrt(variance)


def mixed_quantiles(quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Quantiles of an even mixture of K distributions: [..., Q].

    Args:
        quantiles: [K, ..., Q], of each.
        levels: Q levels in (0, 1), ascending, at least two.
    """
    if len(quantiles) == 1:
        return quantiles[0]
    score = ndtri(np.asarray(levels, float))
    width = np.maximum(np.diff(quantiles, axis=-1), _TINY * (1.0 + np.abs(quantiles[..., 1:])))
    slope = np.diff(score) / width
    reach = _WIDEST / slope[..., [0, -1]]
    low = (quantiles[..., 0] - reach[..., 0]).min(axis=0)
    high = (quantiles[..., -1] + reach[..., 1]).max(axis=0)
    low, high = (np.repeat(edge[..., None], len(score), axis=-1) for edge in (low, high))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        reached = _cdf(middle, quantiles, slope, score).mean(axis=0) >= levels
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


def _cdf(value, quantiles, slope, score):
    """P(y <= value) of each distribution: [K, ..., L] at values [..., L]."""
    inner = quantiles[..., None, 1:-1]
    piece = (value[None, ..., None] >= inner).sum(axis=-1)
    start = np.take_along_axis(quantiles[..., :-1], piece, axis=-1)
    rate = np.take_along_axis(slope, piece, axis=-1)
    return ndtr(score[piece] + rate * (value - start))
