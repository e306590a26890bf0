"""What uniform numbers show by chance: the bands behind plots of calibration."""

from __future__ import annotations

import functools

import numpy as np
from scipy import stats

BINS = 10


def histogram(values: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Counts of values [R] in equal bins of [0, 1]: [bins]."""
    return np.histogram(values, bins, (0.0, 1.0))[0]


def count_band(size: int, bins: int = BINS, level: float = 0.95) -> tuple[float, float]:
    """Counts between which each bin of `size` uniform values stays with probability `level`."""
    low, high = stats.binom.interval(level, size, 1.0 / bins)
    return float(low), float(high)


@functools.cache  # a root is searched for, and a table asks for the same few bands in every row
def ks_band(size: int, level: float = 0.95) -> float:
    """What the largest distance of `size` uniform values from their distribution function stays
    below with probability `level`."""
    return float(stats.kstwo.ppf(level, size))
