"""Experiment of constant elasticity of substitution: information collected about preferences."""

from __future__ import annotations

from aline_tf.experiments.known_likelihood import KnownLikelihoodExperiment


class CESExperiment(KnownLikelihoodExperiment):
    """Preferences between baskets; `ces:SHARE` has that share of close pairs in its pools.

    Args:
        name, task: see `Experiment`.

    Example:
        >>> from aline_tf.experiments import experiment_by_name
        >>> experiment_by_name("ces:0.6").task.close
        0.6
    """

    argument = "ces:SHARE has that share of close pairs in its pools"
    #: The three shares sum to one.
    determined = ("alpha_3",)

    def own_figures(self, data):
        from aline_tf.experiments.ces.plots import draw_answers

        return {"answers": draw_answers(data)}
