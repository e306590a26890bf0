"""Rank histograms: flat for a calibrated posterior, along the trajectory of a policy.

High ends mean posteriors that are too narrow, a high middle ones that are too wide, a slope ones
that are off to a side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from aline_tf.evaluation import calibration
from aline_tf.evaluation.plots.style import grid_of_axes, new_figure, plot_style, policy_style


def draw_rank_histograms(pit: np.ndarray, names: Sequence[str], steps: Sequence[int]) -> Figure:
    """A panel for every step (down) and parameter (across).

    Args:
        pit: [R, K, P], see `calibration.pit`.
        names: P parameters.
        steps: K.
    """
    runs = len(pit)
    low, high = calibration.count_band(runs)
    tallest = max(high, *(calibration.histogram(u).max() for u in pit.reshape(runs, -1).T))
    edges = np.linspace(0.0, 1.0, calibration.BINS + 1)
    with plot_style():
        figure = new_figure(0.8 + 1.9 * len(names), 0.7 + 1.35 * len(steps))
        axes = grid_of_axes(figure, len(steps), len(names), sharex=True, sharey=True)
        for k, step in enumerate(steps):
            for p, name in enumerate(names):
                axis = axes[k, p]
                axis.axhspan(low, high, color="#009E73", alpha=0.15, linewidth=0)
                axis.axhline(runs / calibration.BINS, color="#009E73", linewidth=0.8)
                counts = calibration.histogram(pit[:, k, p])
                axis.stairs(counts, edges, color=policy_style("learned")[0], fill=True, alpha=0.55)
                axis.grid(False)
                chance = calibration.uniformity(pit[:, k, p]).chi2_p
                axis.text(
                    0.97, 0.95, f"p = {chance:.2f}" if chance >= 0.01 else "p < 0.01",
                    transform=axis.transAxes, ha="right", va="top", fontsize=7.5, color="#444444",
                )  # fmt: skip
                if k == 0:
                    axis.set_title(name)
                if p == 0:
                    axis.set_ylabel(f"after {step}\nruns")
        axes[0, 0].set_ylim(0.0, 1.3 * tallest)
        figure.supxlabel(
            "posterior probability below the truth (shaded: 95% of uniform counts)", fontsize=8.5
        )
    return figure
