"""Figures of burden and prompting: gain in log score for the burden, and who is prompted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from aline_tf.evaluation.results import Result
from aline_tf.plots.style import (
    grid_of_axes,
    legend_below,
    new_figure,
    plot_style,
    policy_style,
)

_TITLES = {"burden: attack_24h": "attack within 24 h", "burden: attack_48h": "attack within 48 h"}
_HORIZONS = {"prompting: attack_24h": "within 24 h", "prompting: attack_48h": "within 48 h"}
_GROUP = "prompting | feels attacks coming: "
_FEELS, _OTHERS = "burden | feels attacks coming: yes", "burden | feels attacks coming: no"


def draw_burden(rows: Sequence[Result]) -> Figure:
    """Gain in log score against prompts spent, for both horizons, and warning prompts by group.

    Args:
        rows: of `aline_tf.migraine.evaluation.study.burden_rows`.
    """
    policies = list(dict.fromkeys(row.policy for row in rows if row.target == "burden"))

    def column(*which):
        found = _rows_of(rows, *which)
        return np.array([row.mean for row in found]), np.array([row.ci95 for row in found])

    with plot_style():
        figure = new_figure(10.0, 3.3)
        axes = grid_of_axes(figure, 1, 3).ravel()
        for axis, (target, title) in zip(axes, _TITLES.items(), strict=False):
            for policy in policies:
                colour, dash = _style_of(policy)
                spent, _ = column(policy, "burden", "cost")
                gain, ci95 = column(policy, target, "log_prob_gain")
                axis.plot(spent, gain, color=colour, linestyle=dash, label=policy)
                band = np.nan_to_num(ci95)
                axis.fill_between(spent, gain - band, gain + band, color=colour, alpha=0.15, lw=0)
            axis.set_title(title)
            axis.set_xlabel("burden (prompts)")
            axis.set_ylabel("gain in log score (nats)")
        for policy in policies:
            colour, _ = _style_of(policy)
            for target, dash in ((_FEELS, "-"), (_OTHERS, ":")):
                prompts, _ = column(policy, target, "warning_prompts")
                axes[2].plot(np.arange(len(prompts)), prompts, color=colour, linestyle=dash)
        axes[2].set_title("questions about warning signs")
        axes[2].set_xlabel("acquisitions (solid: feel attacks coming)")
        legend_below(figure, axes)
    return figure


def draw_prompting(rows: Sequence[Result]) -> Figure:
    """Log score against prompts an evening, for both horizons, and the share of warning prompts.

    Args:
        rows: of `aline_tf.migraine.evaluation.prompting.prompting_rows`.
    """
    targets = [row for row in rows if row.target in _HORIZONS]
    policies = list(dict.fromkeys(row.policy for row in targets))
    with plot_style():
        figure = new_figure(10.0, 3.3)
        axes = grid_of_axes(figure, 1, 3).ravel()
        for axis, (target, title) in zip(axes, _HORIZONS.items(), strict=False):
            for policy in policies:
                colour, dash = _style_of(policy)
                found = _rows_of(rows, policy, target, "log_prob")
                prompts, score = _prompts(rows, found), [row.mean for row in found]
                axis.plot(prompts, score, dash, color=colour, marker="o", ms=3, label=policy)
            axis.set_title(f"attack {title}")
            axis.set_xlabel("prompts an evening")
            axis.set_ylabel("log score (nats)")
        for policy in policies:
            colour, _ = _style_of(policy)
            for group, dash in (("yes", "-"), ("no", ":")):
                found = _rows_of(rows, policy, _GROUP + group, "warning_share")
                prompts, share = _prompts(rows, found), [row.mean for row in found]
                axes[2].plot(prompts, share, dash, color=colour, marker="o", ms=3)
        axes[2].set_title("share of prompts about warning signs")
        axes[2].set_xlabel("prompts an evening (solid: feel them)")
        legend_below(figure, axes)
    return figure


def _prompts(rows: Sequence[Result], found: Sequence[Result]) -> list[float]:
    """Prompts an evening of rows of one policy: what was spent, where it need not spend all."""
    spent = {(row.policy, row.step): row.mean for row in rows if row.metric == "prompts"}
    return [spent.get((row.policy, row.step), row.step) for row in found]


def _style_of(policy: str) -> tuple[str, str]:
    return policy_style("learned" if policy == "aline" else policy)


def _rows_of(rows: Sequence[Result], policy: str, target: str, metric: str) -> list[Result]:
    """Rows of one curve, in order of their step."""
    selected = (policy, target, metric)
    found = (row for row in rows if (row.policy, row.target, row.metric) == selected)
    return sorted(found, key=lambda row: row.step)
