"""Metrics: pure functions of arrays, one value per run, and their averages with intervals.

Sizes: S runs, P parameters. `selected` [P] selects the parameters a metric is taken over.
"""

from __future__ import annotations

import numpy as np

# Normal quantile of a central 95% interval.
_Z95 = 1.959963984540054


def rmse(estimate: np.ndarray, theta: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """Root mean squared error of each run, over its selected parameters.

    Args:
        estimate, theta: [S, P] in the parameters' own units.
        selected: [P] bool.

    Returns:
        [S]; averaged over runs it is the RMSE that the psychometric tables report.
    """
    _check_same_shape(estimate=estimate, theta=theta)
    return np.sqrt(np.mean(np.square(estimate - theta)[:, selected], axis=1))


def log_prob(density: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """Mean marginal log density at the truth, in nats per selected parameter: [S, P] -> [S]."""
    return np.mean(np.asarray(density)[:, selected], axis=1)


def coverage(
    low: np.ndarray, high: np.ndarray, theta: np.ndarray, selected: np.ndarray
) -> np.ndarray:
    """Share of each run's selected parameters inside [low, high]: [S, P] each -> [S]."""
    _check_same_shape(low=low, high=high, theta=theta)
    return np.mean(((low <= theta) & (theta <= high))[:, selected], axis=1)


def outer_share(design: np.ndarray, low: float, high: float, share: float = 0.3) -> np.ndarray:
    """Share of each run's designs in the outer part of the range.

    Args:
        design: [S, T].
        low, high: the range.
        share: how much of the range's length counts as outer, half of it at either end.

    Returns:
        [S] in [0, 1]; its expectation is `share` for uniform designs.
    """
    margin = 0.5 * share * (high - low)
    return np.mean((design < low + margin) | (design > high - margin), axis=1)


def mean_and_ci95(values: np.ndarray) -> tuple[float, float]:
    """Mean and half-width of its normal 95% interval, of values [S]; 0 for a single value."""
    values = np.asarray(values, float)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"expected values of shape [S] with S >= 1; received {values.shape}")
    if values.size == 1:
        return float(values[0]), 0.0
    return float(values.mean()), float(_Z95 * values.std(ddof=1) / np.sqrt(values.size))


def ratio_and_ci95(numerator: np.ndarray, denominator: np.ndarray) -> tuple[float, float]:
    """Ratio of two means over the same runs, [S] each, with a delta-method 95% half-width.

    NaN when the denominator's mean is zero: the ratio has no finite value to report.
    """
    _check_same_shape(numerator=numerator, denominator=denominator)
    top, bottom = float(np.mean(numerator)), float(np.mean(denominator))
    if bottom == 0.0:
        return float("nan"), float("nan")
    ratio = top / bottom
    return ratio, mean_and_ci95((numerator - ratio * denominator) / bottom)[1]


def _check_same_shape(**arrays: np.ndarray) -> None:
    shapes = {name: np.shape(array) for name, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"expected arrays of one shape; received {shapes}")
