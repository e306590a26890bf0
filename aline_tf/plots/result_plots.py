"""Plots of an evaluation: what each policy has reached after each step, with 95% bands.

A result is whatever has the attributes of `aline_tf.evaluation.Result`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aline_tf.errors import InputError
from aline_tf.plots.style import axes_or_new, policy_style

#: How a metric is called on its axis.
LABELS = {
    "rmse": "RMSE",
    "log_prob": "log probability\n(nats per parameter)",
    "coverage_90": "coverage of\n90% intervals",
    "spce": "information gained\n(sPCE, nats)",
    "snmc": "upper bound\n(sNMC, nats)",
    "sbc_ks": "distance from\nuniform ranks",
    "joint_log_prob": "joint log probability\n(nats)",
}


def scores(results: Iterable, metric: str, target: str | None = None, ax=None):
    """A line for every policy: a metric after each step, with its 95% band.

    Args:
        results: of an evaluation (`aline_tf.evaluate`, or `.results` of an `Evaluation`).
        metric: "rmse", "log_prob", "coverage_90", "spce", ...
        target: comma-joined parameters; None where results are of one alone.
        ax: matplotlib axes; new ones when None.

    Returns:
        the axes.

    Raises:
        InputError: a metric or a target that was not measured, or several targets and none named.
    """
    chosen = _chosen(list(results), metric, target)
    ax = axes_or_new(ax)
    for policy in dict.fromkeys(result.policy for result in chosen):
        own = [result for result in chosen if result.policy == policy]
        curve(ax, own, policy, *policy_style(policy))
    ax.set_xlabel("step")
    ax.set_ylabel(LABELS.get(metric, metric))
    ax.legend()
    return ax


def information(results: Iterable, target: str | None = None, ax=None):
    """Nats of information gained after each step, for every policy: the lower bound (sPCE) as a
    line with its 95% band, the upper one (sNMC), where it was measured, as thin dots.

    Args:
        results: as of `scores`.
        target: as of `scores`.
        ax: matplotlib axes; new ones when None.

    Returns:
        the axes.

    Raises:
        InputError: no information was measured (it needs a likelihood), or several targets and
            none named.
    """
    results = list(results)
    ax = scores(results, "spce", target, ax)
    if any(result.metric == "snmc" for result in results):
        upper = _chosen(results, "snmc", target)
        for policy in dict.fromkeys(result.policy for result in upper):
            own = sorted((r.step, r.mean) for r in upper if r.policy == policy)
            ax.plot(*zip(*own, strict=True), color=policy_style(policy)[0], ls=":", lw=0.9)
    ax.set_ylabel("information gained (nats)")
    return ax


def curve(ax, results: Iterable, label: str, colour: str, dash: str) -> None:
    """One line with its band; the band is left out where no interval exists."""
    results = sorted(results, key=lambda result: result.step)
    if not results:
        return
    step, mean, ci95 = (
        np.array([getattr(result, name) for result in results], float)
        for name in ("step", "mean", "ci95")
    )
    ax.plot(step, mean, color=colour, linestyle=dash, label=label)
    ci95 = np.nan_to_num(ci95)
    if ci95.any():
        ax.fill_between(step, mean - ci95, mean + ci95, color=colour, alpha=0.15, linewidth=0)


def _chosen(results: list, metric: str, target: str | None) -> list:
    measured = list(dict.fromkeys(result.metric for result in results))
    if metric not in measured:
        raise InputError(
            f"expected a metric of {', '.join(measured) or 'no results'}; received {metric!r}"
        )
    chosen = [result for result in results if result.metric == metric]
    targets = list(dict.fromkeys(result.target for result in chosen))
    if target is None and len(targets) == 1:
        target = targets[0]
    if target not in targets:
        raise InputError(f"expected a target of {'; '.join(targets)}; received {target!r}")
    return [result for result in chosen if result.target == target]
