"""Figures of any task with parameters, in the form of the paper.

curves     information collected, RMSE, log probability, coverage and calibration by step
queries    where each policy queries, step by step: every design dimension
posterior  the model's marginals in one run on the way
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from aline_tf.evaluation.model_posterior import ModelPosterior
from aline_tf.evaluation.simulated_runs import RunData, context_batch
from aline_tf.plots.style import (
    TRUTH,
    grid_of_axes,
    legend_below,
    new_figure,
    plot_style,
    share_bar,
    share_colours,
)

METRICS = ("spce", "rmse", "log_prob", "coverage_90", "sbc_ks")
#: Steps at which a posterior is drawn.
SNAPSHOTS = (0, 3, 10, 30)
BINS = 30
POINTS = 161


def query_quantities(data: RunData, spec) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Every design dimension: values [R, T] and bin edges, by name."""
    return {
        name: (
            data.design[..., d],
            np.linspace(spec.design_low[d], spec.design_high[d], BINS + 1),
        )
        for d, name in enumerate(spec.design_names)
    }


def draw_queries(shown: Mapping[str, Mapping]) -> Figure:
    """Share of runs that query at each place in each step: a row of panels for every policy.

    Args:
        shown: by policy: values [R, T] and bin edges by name, see `query_quantities`.
    """
    titles = list(next(iter(shown.values())))
    with plot_style():
        figure = new_figure(1.4 + 2.3 * len(titles), 0.7 + 2.0 * len(shown))
        axes = grid_of_axes(figure, len(shown), len(titles), sharex=True)
        for i, (policy, quantities) in enumerate(shown.items()):
            for j, (title, (values, edges)) in enumerate(quantities.items()):
                axis = axes[i, j]
                clipped = np.clip(values, edges[0], edges[-1])
                share = np.stack([np.histogram(column, edges)[0] for column in clipped.T], axis=1)
                steps = np.arange(values.shape[1] + 1) + 0.5
                drawn = axis.pcolormesh(
                    steps,
                    edges,
                    share / len(values),
                    **share_colours(),
                    rasterized=True,
                )
                axis.grid(False)
                axis.xaxis.set_major_locator(MaxNLocator(integer=True))
                if title.startswith("distance"):
                    axis.set_yscale("log")
                if i == 0:
                    axis.set_title(title)
                if i == len(shown) - 1:
                    axis.set_xlabel("step")
                if j == 0:
                    axis.set_ylabel(policy)
        share_bar(figure, drawn, axes, "share of runs")
    return figure


def draw_marginals(data: RunData, task, posterior: ModelPosterior, run: int = 0) -> Figure:
    """The model's marginal of every parameter after a few steps, one colour for each step."""
    horizon, parameters = data.design.shape[1], task.spec.parameters
    steps = [step for step in SNAPSHOTS if step < horizon] + [horizon]
    low, high = np.transpose(
        [
            (p.low, p.high)
            if p.kind == "interval"
            else (p.loc - 3.5 * p.scale, p.loc + 3.5 * p.scale)
            for p in parameters
        ]
    )
    points = np.linspace(low, high, 2 * POINTS)
    shades = np.linspace(0.75, 0.0, len(steps))
    with plot_style():
        figure = new_figure(0.6 + 2.1 * len(parameters), 2.7)
        axes = grid_of_axes(figure, 1, len(parameters))[0]
        for step, shade in zip(steps, shades, strict=True):
            batch = context_batch(task.spec, data, step, slice(run, run + 1))
            density = posterior.density(batch, points)[:, 0]
            for p, axis in enumerate(axes):
                colour = (0.835 + 0.165 * shade, 0.369 + 0.631 * shade, shade)
                axis.plot(points[:, p], density[:, p], color=colour, label=f"after {step}")
        for p, axis in enumerate(axes):
            label = "truth"
            axis.axvline(data.theta[run, p], color=TRUTH, linewidth=0.9, linestyle=":", label=label)
            axis.set_title(parameters[p].name)
            axis.xaxis.set_major_locator(MaxNLocator(4))
            axis.set_ylim(bottom=0.0)
            axis.set_yticks([])
        legend_below(figure, axes)
    return figure
