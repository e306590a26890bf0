"""Experiment of migraine: how its model is trained; it is measured by a command of its own."""

from __future__ import annotations

from typing import ClassVar

from aline_tf.errors import InputError
from aline_tf.evaluation.experiment import Experiment


class MigraineExperiment(Experiment):
    """Forecasts of attacks.

    Args:
        name, task: see `Experiment`.

    Example:
        >>> from aline_tf.experiments import experiment_by_name
        >>> experiment_by_name("migraine").defaults["runs"]
        400
    """

    defaults: ClassVar = {"runs": 400, "candidates": 32}

    def recipe(self):
        from aline_tf.training.recipe import Recipe

        return {"hidden_dim": 48, "num_layers": 2, "num_heads": 4}, Recipe(
            batch=96,
            warmup_batch=128,
            warmup_steps=4500,
            joint_steps=650,
            joint_learning_rate=6e-4,
            horizon=5,
            pool=32,
            candidates_per_step=32,
            steps_per_episode=2,
            policy_weight=0.1,
            counterfactual=1.0,
            num_counterfactuals=8,
            random_design_weight=1.0,
            entropy=(0.01, 0.001),
            temperature=(1.0, 0.5),
        )

    def evaluate(self, settings, report=lambda line: None):
        """Refused: forecasts are judged on unseen people, by `aline-tf migraine evaluate`.

        Raises:
            InputError: always.
        """
        raise InputError(
            "expected `aline-tf migraine evaluate`, which measures this task on unseen people; "
            "received `aline-tf eval migraine`"
        )
