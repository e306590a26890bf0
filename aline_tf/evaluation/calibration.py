"""Calibration: probability integral transforms and simulation-based calibration, on arrays.

When q is the posterior of theta given D, then over runs in which theta comes from the prior and D
from theta,

    u = q(theta' <= theta | D)       is uniform on (0, 1)    (probability integral transform)
    r = #{draws of q below theta}    is uniform on 0..S      (simulation-based calibration)

however the designs in D were chosen, as long as they were chosen by what was known: so it holds
along the trajectory of any policy, at every step. The same goes for outcomes not yet seen.
Values piled up at both ends mean a q that is too narrow, in the middle one that is too wide, at
one end one that is off to the other side.

Source: Talts et al., "Validating Bayesian inference algorithms with simulation-based calibration"
(arXiv 1804.06788); Czado et al. (2009) for discrete values.
Sizes: R runs, S draws of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from aline_tf.plots.uniform_bands import BINS, histogram, ks_band
from aline_tf.plots.uniform_bands import count_band as count_band  # known by this name too


def pit(below: np.ndarray, at: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Probability integral transform, spread evenly over the jump where q has a point mass.

    Args:
        below: q(theta' < theta | D), any shape.
        at: q(theta' <= theta | D); equal to `below` where q is continuous.
        uniform: independent uniform numbers of the same shape, which only matter at a jump.
    """
    return below + uniform * (at - below)


def ranks(draws: np.ndarray, theta: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Rank of the truth among draws of the posterior.

    Args:
        draws: [R, S, ...].
        theta: [R, ...].
        uniform: [R, ...], decides among ties.

    Returns:
        int [R, ...] in 0..S.
    """
    below = (draws < theta[:, None]).sum(axis=1)
    ties = (draws == theta[:, None]).sum(axis=1)
    return below + np.minimum(np.floor(uniform * (ties + 1)), ties).astype(int)


def unit_ranks(rank: np.ndarray, draws: int, uniform: np.ndarray) -> np.ndarray:
    """Ranks in 0..S as numbers that are uniform on (0, 1) when the ranks are uniform."""
    return (rank + uniform) / (draws + 1.0)


@dataclass(frozen=True)
class Uniformity:
    """How far R numbers in [0, 1] are from uniform.

    Attributes:
        ks: largest distance between their distribution function and the uniform one.
        ks_band: what `ks` stays below in 95 of 100 uniform samples of this size: the half-width
            of the simultaneous band around the diagonal.
        ks_p: probability that a uniform sample shows such a `ks` or a larger one.
        chi2: Pearson's statistic of the histogram.
        chi2_p: the same for `chi2`, in the chi-square limit.

    Example:
        >>> import numpy as np
        >>> from aline_tf.evaluation import uniformity
        >>> found = uniformity((np.arange(100) + 0.5) / 100)
        >>> found.ks < found.ks_band and found.chi2_p > 0.05
        True
    """

    ks: float
    ks_band: float
    ks_p: float
    chi2: float
    chi2_p: float


def uniformity(values: np.ndarray, bins: int = BINS) -> Uniformity:
    """Tests of values [R] in [0, 1] against the uniform distribution.

    Args:
        values: [R], at least one.
        bins: of equal width, for the chi-squared test.

    Raises:
        ValueError: no values, or some outside [0, 1].
    """
    values = np.asarray(values, float)
    inside = np.isfinite(values).all() and (values >= 0.0).all() and (values <= 1.0).all()
    if values.ndim != 1 or not values.size or not inside:
        raise ValueError(f"Expected values [R] in [0, 1]. Received: shape={values.shape}")
    found = stats.kstest(values, "uniform")
    band = ks_band(values.size)
    chi2, chi2_p = stats.chisquare(histogram(values, bins))
    return Uniformity(float(found.statistic), band, float(found.pvalue), float(chi2), float(chi2_p))


def ecdf_difference(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distribution function of values [R] less the uniform one, at `points` in [0, 1]."""
    return np.searchsorted(np.sort(values), points, side="right") / len(values) - points
