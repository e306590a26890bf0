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

    def evaluate(self, settings, report=lambda line: None):
        """Refused: forecasts are judged on unseen people, by `aline-tf migraine evaluate`.

        Raises:
            InputError: always.
        """
        raise InputError(
            "expected `aline-tf migraine evaluate`, which measures this task on unseen people; "
            "received `aline-tf eval migraine`"
        )
