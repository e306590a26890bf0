"""What promises are measured by: pure functions of summaries of R runs.

Sizes: R runs, P parameters.
"""

from __future__ import annotations

import numpy as np

from aline_tf.evaluation.calibration import uniformity
from aline_tf.evaluation.promises.inference import Summary


def cut(summary: Summary, runs: int) -> Summary:
    """The first `runs` rows."""
    return Summary(*(part[:runs] for part in summary))


def worst_rmse_ratio(ours: np.ndarray, exact: np.ndarray, theta: np.ndarray) -> float:
    """The largest over parameters of the error of our means over that of the exact ones.

    Args:
        ours, exact, theta: [R, P].
    """
    error, least = (np.sqrt(np.square(mean - theta).mean(0)) for mean in (ours, exact))
    # Of a parameter that is known for certain there is nothing to compare.
    return float(np.max(np.where(least > 1e-9, error / np.maximum(least, 1e-9), 1.0)))


def worst_sd_ratio(ours: np.ndarray, exact: np.ndarray) -> float:
    """Our standard deviation over the exact one, of the parameter where it is farthest from 1; of
    each parameter the geometric mean over runs.

    Args:
        ours, exact: [R, P], above zero.
    """
    away = np.mean(np.log(np.maximum(ours, 1e-12) / np.maximum(exact, 1e-12)), axis=0)
    return float(np.exp(away[np.argmax(np.abs(away))]))


def sbc_p(below: np.ndarray) -> float:
    """p-value of simulation-based calibration: of the parameter that shows least of it, times their
    number, at most 1.

    Args:
        below: [R, P], posterior probability of no more than the truth.
    """
    found = [uniformity(np.clip(column, 0.0, 1.0)).ks_p for column in below.T]
    return float(min(1.0, len(found) * min(found)))


def share(ours: np.ndarray, exact: np.ndarray) -> float:
    """Slope of the regression of our shifts on the exact ones through the origin, any shape."""
    size = float(np.square(exact).sum())
    return float((ours * exact).sum() / size) if size > 0 else float("nan")


def correlation(ours: np.ndarray, exact: np.ndarray) -> float:
    """Correlation of our shifts with the exact ones, about zero, any shape; 0 without any."""
    size = np.sqrt(np.square(ours).sum() * np.square(exact).sum())
    return float((ours * exact).sum() / size) if size > 0 else 0.0


def ratio_of_means(first: np.ndarray, second: np.ndarray) -> float:
    """Mean of the first over that of the second, [R] each; NaN where the latter is zero."""
    below = float(np.mean(second))
    return float(np.mean(first)) / below if below else float("nan")


def gain_share(ours: np.ndarray, exact: np.ndarray, expected: np.ndarray) -> float:
    """Mean of what our joint gains over its marginals, over that of the exact one.

    The exact gain at the same draws, whose expectation is known, is a control variate.

    Args:
        ours, exact: gains at I draws of each posterior, [R, I].
        expected: of the exact one, [R].
    """
    away = exact - expected[:, None]
    centred = away - away.mean()
    size = float(np.square(centred).sum())
    slope = float((centred * ours).sum()) / size if size > 0 else 0.0
    return ratio_of_means((ours - slope * away).mean(1), expected)
