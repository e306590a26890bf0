"""Metrics of a trained model: the few figures that a training budget is judged by.

Which they are is each experiment's to say: bounds of the total information gain at the horizon
(nats) where a likelihood is known; RMSE after each of the two pairs of parameters (psychometric);
RMSE of predictions at the task's test inputs (gp1d, gp2d).
"""

from __future__ import annotations

import dataclasses

from aline_tf.evaluation.results import Result
from aline_tf.experiments.lookup import experiment_of


def trained_results(model, task, runs: int, seed: int, candidates: int) -> list[Result]:
    """The figures of a trained model.

    Args:
        model: an ALINE model of the task.
        task: a `Task`, or its name.
        runs: simulated runs that each figure is the mean of.
        seed: of the runs; equal seeds give every model the same ones.
        candidates: N.

    Raises:
        InputError: no figure of this task is judged so.
    """
    return experiment_of(task).budget_results(model, runs, seed, candidates)


def result_dicts(results: list[Result]) -> list[dict]:
    """Results as JSON."""
    return [dataclasses.asdict(result) for result in results]
