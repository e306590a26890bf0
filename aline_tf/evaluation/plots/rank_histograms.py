"""Rank histograms: flat for a calibrated posterior, along the trajectory of a policy.

High ends mean posteriors that are too narrow, a high middle ones that are too wide, a slope ones
that are off to a side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from aline_tf.evaluation import calibration
from aline_tf.plots.rank_plots import rank_histogram
from aline_tf.plots.style import grid_of_axes, new_figure, plot_style


def draw_rank_histograms(pit: np.ndarray, names: Sequence[str], steps: Sequence[int]) -> Figure:
    """A panel for every step (down) and parameter (across).

    Args:
        pit: [R, K, P], see `calibration.pit`.
        names: P parameters.
        steps: K.
    """
    tallest = []
    with plot_style():
        figure = new_figure(0.8 + 1.9 * len(names), 0.7 + 1.35 * len(steps))
        axes = grid_of_axes(figure, len(steps), len(names), sharex=True, sharey=True)
        for k, step in enumerate(steps):
            for p, name in enumerate(names):
                axis = axes[k, p]
                tallest.append(rank_histogram(pit[:, k, p], axis).get_ylim()[1])
                chance = calibration.uniformity(pit[:, k, p]).chi2_p
                axis.text(
                    0.97, 0.95, f"p = {chance:.2f}" if chance >= 0.01 else "p < 0.01",
                    transform=axis.transAxes, ha="right", va="top", fontsize=7.5, color="#444444",
                )  # fmt: skip
                axis.set_xlabel("")
                axis.set_ylabel("" if p else f"after {step}\nruns")
                if k == 0:
                    axis.set_title(name)
        # The panels share their height: that of the tallest.
        axes[0, 0].set_ylim(0.0, max(tallest))
        figure.supxlabel(
            "posterior probability below the truth (shaded: 95% of uniform counts)", fontsize=8.5
        )
    return figure
