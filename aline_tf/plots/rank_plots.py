"""Plots of calibration: how the share of the posterior below the truth is spread over many runs.

Of a calibrated posterior it is uniform. High ends of the histogram mean posteriors that are too
narrow, a high middle ones that are too wide, a slope ones that are off to a side.
"""

from __future__ import annotations

import numpy as np

from aline_tf.errors import InputError
from aline_tf.plots.style import GREEN, GREY, MODEL, axes_or_new
from aline_tf.plots.uniform_bands import BINS, count_band, histogram, ks_band


def rank_histogram(shares, ax=None):
    """Counts of the shares in ten bins; shaded: where 95% of uniform counts lie.

    Args:
        shares: [R], of the posterior below the truth, as of `aline_tf.evaluation.calibration.pit`.
        ax: matplotlib axes; new ones when None.

    Returns:
        the axes.

    Raises:
        InputError: no shares, or some outside [0, 1].
    """
    shares = _shares(shares)
    ax = axes_or_new(ax)
    low, high = count_band(len(shares))
    ax.axhspan(low, high, color=GREEN, alpha=0.15, linewidth=0)
    ax.axhline(len(shares) / BINS, color=GREEN, linewidth=0.8)
    counts = histogram(shares)
    ax.stairs(counts, np.linspace(0.0, 1.0, BINS + 1), color=MODEL, fill=True, alpha=0.55)
    ax.grid(False)
    ax.set_ylim(0.0, 1.3 * max(high, counts.max()))
    ax.set_xlabel("posterior below the truth")
    ax.set_ylabel("runs")
    return ax


def rank_difference(shares, ax=None, label: str | None = None, colour: str = MODEL):
    """The shares' distribution function less the uniform one; shaded: where 95% of uniform samples
    stay from end to end. Several may share axes.

    Args:
        shares: [R], as of `rank_histogram`.
        ax: matplotlib axes; new ones when None.
        label: of the line.
        colour: of the line.

    Returns:
        the axes.

    Raises:
        InputError: no shares, or some outside [0, 1].
    """
    shares = np.sort(_shares(shares))
    ax = axes_or_new(ax)
    if not ax.patches:
        band = ks_band(len(shares))
        ax.axhspan(-band, band, color=GREY, alpha=0.2, linewidth=0)
    found = np.arange(1, len(shares) + 1) / len(shares)
    ax.plot(shares, found - shares, color=colour, label=label)
    ax.set_xlabel("posterior below the truth")
    ax.set_ylabel("found - uniform")
    return ax


def _shares(values) -> np.ndarray:
    values = np.asarray(values, float)
    if values.ndim != 1 or not values.size or not ((values >= 0.0) & (values <= 1.0)).all():
        raise InputError(
            f"expected shares [R] in [0, 1], of one parameter after one step; received an array "
            f"{list(values.shape)}"
        )
    return values
