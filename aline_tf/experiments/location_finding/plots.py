"""Figures of location finding: distance of queries to the nearest source, posterior as a map."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from aline_tf.evaluation.model_posterior import ModelPosterior
from aline_tf.evaluation.simulated_runs import RunData, context_batch
from aline_tf.experiments.location_finding.location_grid import shrinking_posteriors
from aline_tf.experiments.plots import BINS, POINTS, SNAPSHOTS
from aline_tf.plots.style import TRUTH, grid_of_axes, new_figure, plot_style


def distance_to_source(data: RunData, task) -> tuple[np.ndarray, np.ndarray]:
    """Distance of every query to the nearest source [R, T], and bin edges on a log scale."""
    places = data.theta.reshape(len(data.theta), task.sources, 1, task.dims)
    away = np.linalg.norm(data.design[:, None] - places, axis=-1).min(axis=1)
    return away, np.geomspace(3e-3, 1.5, BINS + 1)


def draw_maps(data: RunData, task, posterior: ModelPosterior, run: int = 0) -> Figure:
    """One source in the plane: exact posterior and the model's product of marginals."""
    steps = [step for step in SNAPSHOTS if step <= data.design.shape[1]]
    design, outcome = data.design[run].astype(float), data.outcome[run, :, 0].astype(float)
    exact = shrinking_posteriors(design, outcome, steps)
    with plot_style():
        figure = new_figure(0.6 + 2.3 * len(steps), 5.4)
        axes = grid_of_axes(figure, 2, len(steps), sharex="col", sharey="col")
        for k, (step, grid) in enumerate(zip(steps, exact, strict=True)):
            view = _view(grid.nodes)
            points = np.linspace(*view.T, POINTS)
            batch = context_batch(task.spec, data, step, slice(run, run + 1))
            density = posterior.density(batch, points)[:, 0]
            for axis, nodes, mass in (
                (axes[0, k], grid.nodes, grid.mass),
                (axes[1, k], points.T, density[:, :1] * density[:, 1]),
            ):
                axis.set_facecolor(colormaps["Blues"](0.0))
                axis.pcolormesh(
                    *nodes, (mass / mass.max()).T, cmap="Blues", vmin=0, vmax=1, rasterized=True
                )
                axis.scatter(
                    *design[:step].T, c=np.arange(step), cmap="autumn", s=14, linewidths=0, zorder=3
                )
                axis.plot(*data.theta[run], "x", color=TRUTH, markersize=7, zorder=4)
                axis.set_xlim(view[0])
                axis.set_ylim(view[1])
                axis.set_aspect("equal")
                axis.grid(False)
            axes[0, k].set_title(f"after {step}" + ("" if np.ptp(view) == 1.0 else ", enlarged"))
        axes[0, 0].set_ylabel("exact posterior")
        axes[1, 0].set_ylabel("network, product of marginals")
        figure.supxlabel("cross: the source; dots: queries, red first, yellow last", fontsize=8.5)
    return figure


def _view(nodes: np.ndarray) -> np.ndarray:
    """Square [2, 2] (low and high of each axis) in which a posterior on `nodes` [2, G] is seen."""
    centre, width = nodes.mean(axis=1), np.ptp(nodes, axis=1).max()
    if width > 0.4:
        return np.array([[0.0, 1.0], [0.0, 1.0]])
    return centre[:, None] + width * np.array([-0.7, 0.7])
