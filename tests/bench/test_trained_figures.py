"""What a model is judged by: the same runs for everybody, and errors that can be checked."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.bench import trained_figures
from aline_tf.experiments import known_likelihood
from aline_tf.experiments.functions import greedy_error
from aline_tf.models.aline import ALINE
from aline_tf.models.distributions import outcome_prediction as predictive
from aline_tf.models.distributions.outcome_prediction import OutcomePrediction
from aline_tf.tasks.gp import GaussianProcess
from aline_tf.tasks.location_finding import LocationFinding
from aline_tf.tasks.psychometric import Psychometric
from tests.seeds import seed_weights
from tests.training.small_tasks import SIZES


def untrained(task):
    seed_weights(5)
    model = ALINE.for_task(task, **SIZES)
    model.build()
    return model


def test_the_error_of_a_function_is_that_of_its_test_inputs(monkeypatch):
    monkeypatch.setattr(greedy_error, "_RUNS_AT_ONCE", 3)
    task = GaussianProcess(1, predictions=7)
    model = untrained(task)

    class Zero(OutcomePrediction):
        def mean_sd(self):
            mean, sd = super().mean_sd()
            return tf.zeros_like(mean), sd

    monkeypatch.setattr(predictive, "OutcomePrediction", Zero)
    (row,) = trained_figures.trained_results(model, task, runs=5, seed=2, candidates=32)
    episodes = [task.sample_episodes(draws.as_seed([2, g]), 3, 32) for g in range(2)]
    outcome = np.concatenate([e["target_outcome"] for e in episodes])[:5]
    assert row.n == 5 and row.step == 30 and row.metric == "rmse"
    assert row.mean == pytest.approx(np.sqrt(np.square(outcome).mean(1)).mean(), rel=1e-5)


def test_psychometric_errors_are_after_each_pair():
    task = Psychometric()
    rows = trained_figures.trained_results(untrained(task), task, runs=3, seed=0, candidates=40)
    assert [row.target for row in rows] == ["threshold,slope", "guess,lapse"]
    assert all(row.metric == "rmse" and row.step == 30 and row.n == 3 for row in rows)


def test_information_stays_below_what_the_contrast_can_tell(monkeypatch):
    monkeypatch.setattr(known_likelihood, "CONTRASTIVE", 200)
    task = LocationFinding()
    model = untrained(task)
    lower, upper = trained_figures.trained_results(model, task, runs=3, seed=0, candidates=32)
    assert (lower.metric, upper.metric) == ("spce", "snmc")
    assert lower.mean <= np.log(201) + 1e-6 and lower.mean <= upper.mean
    again = trained_figures.trained_results(model, task, runs=3, seed=0, candidates=32)
    assert again == [lower, upper]
