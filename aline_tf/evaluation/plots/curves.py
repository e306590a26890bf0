"""Curves from results alone: what each policy has reached after each step, with 95% bands."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from aline_tf.evaluation.results import Result
from aline_tf.plots.result_plots import LABELS, curve
from aline_tf.plots.style import (
    GREEN,
    grid_of_axes,
    legend_below,
    new_figure,
    plot_style,
    policy_style,
)


def draw_curves(
    results: Sequence[Result],
    metrics: Sequence[str],
    targets: Sequence[str],
    caps: dict[str, float] | None = None,
) -> Figure:
    """A panel for every metric (down) and target (across), a line for every policy.

    Args:
        results: of an evaluation.
        metrics, targets: what is shown; metrics without any result are left out.
        caps: height of a dotted line in the panels of a metric: what it cannot exceed, or should
            be near.
    """
    measured = {result.metric for result in results}
    metrics = [metric for metric in metrics if metric in measured]
    policies = list(dict.fromkeys(result.policy for result in results))
    # One target alone would make a tower: its metrics stand side by side instead.
    alone = len(targets) == 1
    columns = min(3, len(metrics)) if alone else len(targets)
    panels = [(metric, target) for metric in metrics for target in targets]
    with plot_style():
        height = -(-len(panels) // columns)
        figure = new_figure(1.2 + 3.0 * columns, 0.7 + 2.2 * height)
        axes = grid_of_axes(figure, height, columns, sharex=True).ravel()
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        for place, (axis, (metric, target)) in enumerate(zip(axes, panels, strict=False)):
            for policy in policies:
                key = policy, target, metric
                chosen = [
                    result
                    for result in results
                    if (result.policy, result.target, result.metric) == key
                ]
                curve(axis, chosen, policy, *policy_style(policy))
            if metric in (caps or {}):
                axis.axhline(caps[metric], color="#555555", linestyle=":", linewidth=1.0)
            if metric == "sbc_ks":
                _band(axis, results, target)
            if metric == "coverage_90":
                axis.set_ylim(0.7, 1.0)
            if place < len(targets) and not alone:
                axis.set_title(_title(target))
            if alone or place % columns == 0:
                axis.set_ylabel(LABELS.get(metric, metric))
            if place + columns >= len(panels):
                axis.set_xlabel("step")
                axis.tick_params(labelbottom=True)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend_below(figure, axes)
    return figure


def _band(axis, results, target) -> None:
    limit = [
        result for result in results if (result.target, result.metric) == (target, "sbc_ks_95")
    ]
    if limit:
        axis.axhspan(0.0, limit[0].mean, color=GREEN, alpha=0.12, linewidth=0)
        axis.set_ylim(bottom=0.0)


def _title(target: str) -> str:
    names = target.split(",")
    if len(names) > 3:
        return f"all {len(names)} parameters"
    return ", ".join(names) if len(names) == 1 else "{" + ", ".join(names) + "}"
