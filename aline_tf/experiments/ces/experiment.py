"""Experiment of constant elasticity of substitution: information collected about preferences."""

from __future__ import annotations

from aline_tf.evaluation.bars import Deployment, Reference
from aline_tf.evaluation.experiment import SMALL_MODEL
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
    deployments = (Deployment(2000, 10, references={"run": Reference(paper=0.04)}),)
    budget_candidates = 300
    #: The three shares sum to one.
    determined = ("alpha_3",)

    def recipe(self):
        from aline_tf.training.recipe import Recipe

        # To be trained as ces:0.6, with close pairs in its pools.
        return dict(SMALL_MODEL), Recipe(
            batch=64,
            warmup_steps=4500,
            joint_steps=1100,
            pool=128,
            candidates_per_step=48,
            steps_per_episode=4,
            group_size=2,
            policy_weight=0.02,
            teacher=(2.0, 1.0),
            teacher_states=4,
            teacher_draws=32,
            teacher_inverse_temperature=20.0,
            random_design_weight=0.5,
            entropy=(0.0, 0.0),
            temperature=(0.5, 0.1),
            conditioning_rate=0.1,
            learning_rate=2e-3,
            joint_learning_rate=1e-3,
        )

    def own_figures(self, data):
        from aline_tf.experiments.ces.plots import draw_answers

        return {"answers": draw_answers(data)}
