"""Figures of tasks whose likelihood is known, in the form of the paper.

curves     information collected, RMSE, log probability, coverage and calibration by step
queries    where each policy asks, step by step: every design dimension and, where there is a
           source, how far from it
answers    CES: how many answers stand at an end of the slider, where they say little
posterior  what the network believes in one run on the way; one source in the plane: as a map,
           beside the exact posterior
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from aline_tf.evaluation.network_posterior import NetworkPosterior
from aline_tf.evaluation.plots.curves import curve, draw_curves
from aline_tf.evaluation.plots.rank_histograms import draw_rank_histograms
from aline_tf.evaluation.plots.style import (
    TRUTH,
    grid_of_axes,
    legend_below,
    look,
    new_figure,
    save,
    share_bar,
    share_colours,
    style,
)
from aline_tf.evaluation.results import Row
from aline_tf.evaluation.simulated_runs import Histories, context_batch, network_estimates
from aline_tf.experiments.known_likelihood import is_exact, report_steps

METRICS = ("spce", "rmse", "log_prob", "coverage_90", "sbc_ks")
SNAPSHOTS = (0, 3, 10, 30)
_BINS = 30
_POINTS = 161


def draw(
    directory: str | Path,
    rows: Sequence[Row],
    histories: Mapping[str, Histories],
    task,
    network: NetworkPosterior | None = None,
) -> list[Path]:
    """Writes every figure that the evaluation has data for; returns the files.

    Args:
        rows: with every step.
        histories: by policy.
        network: for the posteriors; none are drawn without it.
    """
    target = ",".join(task.spec.parameter_names)
    figures = {
        "curves": draw_curves(rows, METRICS, [target], {"coverage_90": 0.9}),
        "queries": draw_queries(histories, task),
    }
    if task.spec.name == "ces":
        figures["answers"] = draw_answers(histories)
    if network is not None and "learned" in histories:
        drawer = draw_maps if is_exact(task) else draw_marginals
        found = histories["learned"]
        figures["posterior"] = drawer(found, task, network)
        steps = report_steps(found.design.shape[1])
        pit = network_estimates(network, task.spec, found, steps).pit()
        figures["ranks"] = draw_rank_histograms(pit, task.spec.parameter_names, steps)
    return [path for name, figure in figures.items() for path in save(figure, directory, name)]


def query_quantities(found: Histories, task) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What the queries figure shows: values [R, T] and bin edges, by name."""
    spec, quantities = task.spec, {}
    for d, name in enumerate(spec.design_names):
        edges = np.linspace(spec.design_low[d], spec.design_high[d], _BINS + 1)
        quantities[name] = found.design[..., d], edges
    if spec.name == "location_finding":
        places = found.theta.reshape(len(found.theta), task.sources, 1, task.dims)
        away = np.linalg.norm(found.design[:, None] - places, axis=-1).min(axis=1)
        quantities["distance to the nearest source"] = away, np.geomspace(3e-3, 1.5, _BINS + 1)
    return quantities


def draw_queries(histories: Mapping[str, Histories], task) -> Figure:
    """Share of runs that ask at each place in each step: a row for every policy."""
    shown = {name: query_quantities(found, task) for name, found in histories.items()}
    titles = list(next(iter(shown.values())))
    with look():
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


def draw_answers(histories: Mapping[str, Histories]) -> Figure:
    """CES: share of answers at an end of the slider in each step."""
    with look():
        figure = new_figure(4.4, 3.0)
        axis = figure.subplots()
        for policy, found in histories.items():
            at_an_end = found.outcome[..., 1:].max(axis=-1)
            rows = [
                Row.of(policy, "", t + 1, "at_an_end", at_an_end[:, t])
                for t in range(at_an_end.shape[1])
            ]
            curve(axis, rows, policy, *style(policy))
        axis.set_ylim(0.0, 1.0)
        axis.set_xlabel("step")
        axis.set_ylabel("share of answers at an end")
        axis.legend()
    return figure


def draw_maps(found: Histories, task, network: NetworkPosterior, run: int = 0) -> Figure:
    """One source in the plane: exact posterior and the network's product of marginals."""
    from aline_tf.experiments.location_finding.location_grid import shrinking_posteriors

    steps = [step for step in SNAPSHOTS if step <= found.design.shape[1]]
    design, outcome = found.design[run].astype(float), found.outcome[run, :, 0].astype(float)
    exact = shrinking_posteriors(design, outcome, steps)
    with look():
        figure = new_figure(0.6 + 2.3 * len(steps), 5.4)
        axes = grid_of_axes(figure, 2, len(steps), sharex="col", sharey="col")
        for k, (step, posterior) in enumerate(zip(steps, exact, strict=True)):
            view = _view(posterior.nodes)
            points = np.linspace(*view.T, _POINTS)
            batch = context_batch(task.spec, found, step, slice(run, run + 1))
            density = network.density(batch, points)[:, 0]
            for axis, nodes, mass in (
                (axes[0, k], posterior.nodes, posterior.mass),
                (axes[1, k], points.T, density[:, :1] * density[:, 1]),
            ):
                axis.set_facecolor(colormaps["Blues"](0.0))
                axis.pcolormesh(
                    *nodes, (mass / mass.max()).T, cmap="Blues", vmin=0, vmax=1, rasterized=True
                )
                axis.scatter(
                    *design[:step].T, c=np.arange(step), cmap="autumn", s=14, linewidths=0, zorder=3
                )
                axis.plot(*found.theta[run], "x", color=TRUTH, markersize=7, zorder=4)
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


def draw_marginals(found: Histories, task, network: NetworkPosterior, run: int = 0) -> Figure:
    """The network's marginal of every parameter after a few steps, one colour for each step."""
    horizon, parameters = found.design.shape[1], task.spec.parameters
    steps = [step for step in SNAPSHOTS if step < horizon] + [horizon]
    low, high = np.transpose(
        [
            (p.low, p.high)
            if p.kind == "interval"
            else (p.loc - 3.5 * p.scale, p.loc + 3.5 * p.scale)
            for p in parameters
        ]
    )
    points = np.linspace(low, high, 2 * _POINTS)
    shades = np.linspace(0.75, 0.0, len(steps))
    with look():
        figure = new_figure(0.6 + 2.1 * len(parameters), 2.7)
        axes = grid_of_axes(figure, 1, len(parameters))[0]
        for step, shade in zip(steps, shades, strict=True):
            batch = context_batch(task.spec, found, step, slice(run, run + 1))
            density = network.density(batch, points)[:, 0]
            for p, axis in enumerate(axes):
                colour = (0.835 + 0.165 * shade, 0.369 + 0.631 * shade, shade)
                axis.plot(points[:, p], density[:, p], color=colour, label=f"after {step}")
        for p, axis in enumerate(axes):
            label = "truth"
            axis.axvline(
                found.theta[run, p], color=TRUTH, linewidth=0.9, linestyle=":", label=label
            )
            axis.set_title(parameters[p].name)
            axis.xaxis.set_major_locator(MaxNLocator(4))
            axis.set_ylim(bottom=0.0)
            axis.set_yticks([])
        legend_below(figure, axes)
    return figure
