"""Experiment of forced choice, `psychometric:2afc` and its like: information and error."""

from __future__ import annotations

from typing import ClassVar

from aline_tf.experiments.own_task import OwnTaskExperiment


class ForcedChoiceExperiment(OwnTaskExperiment):
    """Observers whose chance of being right without perceiving anything is known.

    Measured as any task with a likelihood; trained as the yes-or-no form is. No model of it comes
    with the package: `aline-tf train psychometric:2afc --out DIR` makes one.

    Args:
        name, task: see `Experiment`.

    Example:
        >>> from aline_tf.experiments import experiment_by_name
        >>> experiment_by_name("psychometric:2afc").task.spec.parameter_names
        ('threshold', 'slope', 'lapse')
    """

    defaults: ClassVar = {"runs": 100, "candidates": 200}
    argument = "psychometric:2afc is forced choice"

    def recipe(self):
        from aline_tf.experiments.psychometric.experiment import PsychometricExperiment

        return PsychometricExperiment("psychometric").recipe()
