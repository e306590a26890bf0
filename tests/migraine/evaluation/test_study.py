"""The evaluation as a whole: evenings of every weekday, errors in prior standard deviations."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.migraine.evaluation import study as evaluation
from aline_tf.migraine.simulation import cohort
from aline_tf.migraine.task.simulated import MigraineTask
from aline_tf.models.compiled import Compiled

PEOPLE, DAYS, HISTORY = 40, 16, 8


@pytest.fixture(scope="module")
def people():
    return cohort.sample_cohort(seed=3, people=PEOPLE, days=DAYS, first_evening=HISTORY)


def test_a_compiled_model_answers_like_the_model(people, model):
    batch = people.batch(9)
    plain, compiled = model(batch), Compiled(model)(batch)
    for name in plain:
        np.testing.assert_allclose(plain[name], compiled[name], atol=1e-4)


@pytest.mark.parametrize(("first", "last", "most"), [(28, 112, 90), (28, 112, 12), (3, 3, 1)])
def test_evenings_fit_the_budget_and_see_every_weekday(first, last, most):
    chosen = evaluation.evenings_between(first, last, most)
    assert chosen[0] == first and chosen[-1] <= last and len(chosen) <= most
    assert len({day % 7 for day in chosen}) == min(7, len(chosen))


class Guess:
    """Stands in for a model: says `mean` of everybody's parameters."""

    spec = MigraineTask().spec

    def __init__(self, mean):
        self.mean = tf.constant(mean, tf.float32)

    def __call__(self, batch):
        return {"rows": tf.zeros(len(batch["context_mask"]))}

    def theta_summary(self, outputs):
        spread = tf.stack([self.mean - 1.0, self.mean + 1.0], axis=-1)
        return {"mean": self.mean, "probability": tf.ones_like(self.mean), "quantiles": spread}

    def theta_log_prob(self, outputs, theta):
        return tf.zeros_like(theta)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_the_error_of_all_parameters_is_in_prior_standard_deviations(people, share, expected):
    theta = people.world["theta"].numpy()
    guess = Guess(theta + share * (theta.mean(axis=0) - theta))
    rows = evaluation.parameter_rows(guess, people, people, HISTORY, seed=0)
    (row,) = (row for row in rows if row.target == "all parameters")
    assert (row.policy, row.metric, row.n) == (f"aline, day {HISTORY}", "rmse", PEOPLE)
    assert row.mean == pytest.approx(expected, abs=1e-3)
