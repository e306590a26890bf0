"""Figures of the evaluation: what forecasts gain for their burden, and who is asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from aline_tf.evaluation.figures import grid_of_axes, legend_below, look, new_figure, style
from aline_tf.evaluation.rows import Row

_TITLES = {"burden: attack_24h": "attack within 24 h", "burden: attack_48h": "attack within 48 h"}
_FEELS, _OTHERS = "burden | feels attacks coming: yes", "burden | feels attacks coming: no"


def draw_burden(rows: Sequence[Row]) -> Figure:
    """Gain in log score against prompts spent, for both horizons, and warning prompts by group.

    Args:
        rows: of `aline_tf.migraine.evaluation.burden_rows`.
    """
    policies = list(dict.fromkeys(row.policy for row in rows if row.target == "burden"))

    def column(policy, target, metric):
        found = sorted(
            (
                row
                for row in rows
                if (row.policy, row.target, row.metric) == (policy, target, metric)
            ),
            key=lambda row: row.step,
        )
        return np.array([row.mean for row in found]), np.array([row.ci95 for row in found])

    with look():
        figure = new_figure(10.0, 3.3)
        axes = grid_of_axes(figure, 1, 3).ravel()
        for axis, (target, title) in zip(axes, _TITLES.items(), strict=False):
            for policy in policies:
                colour, dash = style("learned" if policy == "aline" else policy)
                spent, _ = column(policy, "burden", "cost")
                gain, ci95 = column(policy, target, "log_prob_gain")
                axis.plot(spent, gain, color=colour, linestyle=dash, label=policy)
                band = np.nan_to_num(ci95)
                axis.fill_between(spent, gain - band, gain + band, color=colour, alpha=0.15, lw=0)
            axis.set_title(title)
            axis.set_xlabel("burden (prompts)")
            axis.set_ylabel("gain in log score (nats)")
        for policy in policies:
            colour, _ = style("learned" if policy == "aline" else policy)
            for target, dash in ((_FEELS, "-"), (_OTHERS, ":")):
                asked, _ = column(policy, target, "warning_prompts")
                axes[2].plot(np.arange(len(asked)), asked, color=colour, linestyle=dash)
        axes[2].set_title("questions about warning signs")
        axes[2].set_xlabel("acquisitions (solid: feel attacks coming)")
        legend_below(figure, axes)
    return figure
