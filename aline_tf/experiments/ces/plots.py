"""Figure of CES: how many answers stand at an end of the slider, where they say little."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from aline_tf.evaluation.results import Result
from aline_tf.evaluation.simulated_runs import RunData
from aline_tf.plots.result_plots import curve
from aline_tf.plots.style import new_figure, plot_style, policy_style


def draw_answers(data: Mapping[str, RunData]) -> Figure:
    """CES: share of answers at an end of the slider in each step."""
    with plot_style():
        figure = new_figure(4.4, 3.0)
        axis = figure.subplots()
        for policy, found in data.items():
            at_an_end = found.outcome[..., 1:].max(axis=-1)
            results = [
                Result.of(policy, "", t + 1, "at_an_end", at_an_end[:, t])
                for t in range(at_an_end.shape[1])
            ]
            curve(axis, results, policy, *policy_style(policy))
        axis.set_ylim(0.0, 1.0)
        axis.set_xlabel("step")
        axis.set_ylabel("share of answers at an end")
        axis.legend()
    return figure
