"""Figures of the psychometric task, in the form of the paper.

curves     RMSE, log probability, coverage and calibration after each trial, for each target
queries    where each policy asks, trial by trial
posterior  the model's marginals of one observer on the way, beside the exact posterior
switch     the same first two for targets that change on the way
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from aline_tf.evaluation.model_posterior import ModelPosterior
from aline_tf.evaluation.plots.curves import draw_curves
from aline_tf.evaluation.plots.rank_histograms import draw_rank_histograms
from aline_tf.evaluation.results import Result
from aline_tf.evaluation.simulated_runs import RunData
from aline_tf.experiments.psychometric.estimates import context_batch, model_estimates
from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.experiments.psychometric.psychometric_grid import (
    DESIGN_HIGH,
    DESIGN_LOW,
    PARAMETER_HIGH,
    PARAMETER_LOW,
    PARAMETER_NAMES,
    success_probability,
)
from aline_tf.experiments.psychometric.runs import target_mask
from aline_tf.plots.result_plots import curve
from aline_tf.plots.style import (
    BLUE,
    GREEN,
    PURPLE,
    TRUTH,
    YELLOW,
    grid_of_axes,
    legend_below,
    new_figure,
    plot_style,
    policy_style,
    save,
    share_bar,
    share_colours,
)

METRICS = ("rmse", "log_prob", "coverage_90", "sbc_ks")
SNAPSHOTS = (0, 5, 15, 30)
_STIMULUS_BINS = 40
_POINTS = 241


def draw(
    directory: str | Path,
    results: Sequence[Result],
    data: Mapping[tuple[str, str], RunData],
    posterior: ModelPosterior | None = None,
    switch: int | None = None,
) -> list[Path]:
    """Writes every figure that the evaluation has data for; returns the files.

    Args:
        results: with every step.
        data: by policy and target, as `keep` of the evaluations hands them out.
        posterior: of the model; no posteriors are drawn without it.
        switch: trials before the switch, when the evaluation was one.
    """
    targets = list(dict.fromkeys(target for _, target in data))
    figures = {"queries": draw_queries(data, switch)}
    if switch is not None:
        figures["switch"] = draw_switch(results, targets, switch)
    else:
        figures["curves"] = draw_curves(results, METRICS, targets, {"coverage_90": 0.9})
        for target in targets:
            if posterior is not None and ("learned", target) in data:
                name = target.replace(",", "_")
                found = data["learned", target]
                figures[f"posterior_{name}"] = draw_posterior(found, posterior, target)
                steps = [step for step in SNAPSHOTS[1:] if step <= found.design.shape[1]]
                pit = model_estimates(posterior, found, steps, target_mask(target))
                figures[f"ranks_{name}"] = draw_rank_histograms(pit.pit(), PARAMETER_NAMES, steps)
    return [path for name, figure in figures.items() for path in save(figure, directory, name)]


def draw_queries(data: Mapping[tuple[str, str], RunData], switch: int | None = None) -> Figure:
    """Share of queries at each stimulus in each trial: a panel for every policy and target."""
    policies = list(dict.fromkeys(policy for policy, _ in data))
    targets = list(dict.fromkeys(target for _, target in data))
    with plot_style():
        figure = new_figure(1.4 + 2.8 * len(targets), 0.6 + 1.9 * len(policies))
        axes = grid_of_axes(figure, len(policies), len(targets), sharex=True, sharey=True)
        drawn = None
        for i, policy in enumerate(policies):
            for j, target in enumerate(targets):
                axis = axes[i, j]
                share = query_shares_by_trial(data[policy, target])
                drawn = axis.imshow(
                    share,
                    origin="lower",
                    aspect="auto",
                    extent=(0.5, share.shape[1] + 0.5, DESIGN_LOW, DESIGN_HIGH),
                    **share_colours(),
                    interpolation="nearest",
                )
                axis.grid(False)
                if switch is not None:
                    axis.axvline(switch + 0.5, color=BLUE, linestyle="--", linewidth=1.0)
                if i == 0:
                    axis.set_title(target.replace(",", ", "))
                if i == len(policies) - 1:
                    axis.set_xlabel("trial")
                if j == 0:
                    axis.set_ylabel(f"{policy}\nstimulus")
        share_bar(figure, drawn, axes, "share of subjects")
    return figure


def query_shares_by_trial(data: RunData) -> np.ndarray:
    """Share of observers queried at each of 40 bins of the stimulus, [40, T]."""
    edges = np.linspace(DESIGN_LOW, DESIGN_HIGH, _STIMULUS_BINS + 1)
    counts = [np.histogram(column, edges)[0] for column in data.design[..., 0].T]
    return np.stack(counts, axis=1) / len(data.design)


def draw_switch(results: Sequence[Result], orders: Sequence[str], switch: int) -> Figure:
    """RMSE of both pairs after each trial, a column for each order of targets."""
    policies = list(dict.fromkeys(each.policy for each in results))
    last = max(each.step for each in results) + 0.5
    with plot_style():
        figure = new_figure(1.2 + 3.6 * len(orders), 5.2)
        axes = grid_of_axes(figure, 2, len(orders), sharex=True)
        for j, order in enumerate(orders):
            pairs = order.replace(",", ", ").split(" then ")
            for i, place in enumerate(("first", "second")):
                axis = axes[i, j]
                for policy in policies:
                    chosen = [
                        each
                        for each in results
                        if (each.policy, each.target, each.metric)
                        == (policy, order, f"rmse_{place}")
                    ]
                    curve(axis, chosen, policy, *policy_style(policy))
                axis.axvline(switch + 0.5, color="#555555", linestyle="--", linewidth=1.0)
                selected = (0.5, switch + 0.5) if place == "first" else (switch + 0.5, last)
                axis.axvspan(*selected, color=YELLOW, alpha=0.18, linewidth=0)
                axis.set_xlim(0.5, last)
                axis.set_ylabel(f"RMSE of {{{pairs[i]}}}")
            axes[0, j].set_title(f"{{{pairs[0]}}} then {{{pairs[1]}}}")
            axes[1, j].set_xlabel("trial (shaded: while this pair is wanted)")
        legend_below(figure, axes.flat)
    return figure


def draw_posterior(
    data: RunData, posterior: ModelPosterior, target: str, observer: int = 0
) -> Figure:
    """Marginals of one observer at a few steps, the model's and the exact ones, above the curve
    of answers with the trials so far."""
    row = slice(observer, observer + 1)
    one = RunData(data.theta[row], data.design[row], data.outcome[row])
    theta = data.theta[observer]
    steps = [step for step in SNAPSHOTS if step <= one.horizon]
    points = np.linspace(PARAMETER_LOW, PARAMETER_HIGH, _POINTS)
    selected = target_mask(target)
    exact = GridPosterior().marginals(one.design[..., 0], one.outcome[..., 0], steps)
    stimulus = np.linspace(DESIGN_LOW, DESIGN_HIGH, _POINTS)
    with plot_style():
        figure = new_figure(9.6, 1.0 + 1.75 * len(steps))
        axes = grid_of_axes(figure, len(steps), 5, width_ratios=(1.5, 1, 1, 1, 1))
        for k, step in enumerate(steps):
            density = posterior.density(context_batch(one, step, selected), points)[:, 0]
            _draw_answers(axes[k, 0], one, step, stimulus, theta)
            axes[k, 0].set_ylabel(f"after {step} trials\nP(yes)")
            for p, name in enumerate(PARAMETER_NAMES):
                axis = axes[k, 1 + p]
                node, mass = exact.axes[p], exact.mass[p][0, k]
                axis.plot(
                    node.nodes,
                    mass / node.mass / (PARAMETER_HIGH[p] - PARAMETER_LOW[p]),
                    color=policy_style("psi-marginal")[0],
                    linestyle="--",
                    label="exact",
                )
                axis.plot(
                    points[:, p], density[:, p], color=policy_style("learned")[0], label="network"
                )
                axis.axvline(theta[p], color=TRUTH, linewidth=0.9, linestyle=":", label="truth")
                axis.set_ylim(0.0, 1.12 * max(line.get_ydata().max() for line in axis.lines[:2]))
                axis.set_yticks([])
                if k == 0:
                    axis.set_title(name + (" (wanted)" if selected[p] else ""))
        axes[-1, 0].set_xlabel("stimulus")
        legend_below(figure, [axes[0, 1]])
    return figure


def _draw_answers(axis, one, step, stimulus, theta) -> None:
    axis.plot(stimulus, success_probability(theta, stimulus), color=TRUTH, linewidth=1.0)
    for answer, colour, marker in ((1.0, GREEN, "^"), (0.0, PURPLE, "v")):
        same = one.outcome[0, :step, 0] == answer
        place = one.design[0, :step, 0][same]
        axis.plot(
            place, np.full(place.shape, answer), marker, color=colour, markersize=4, alpha=0.7
        )
    axis.set_ylim(-0.08, 1.08)
