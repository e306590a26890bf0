"""Likelihoods on columns against the tasks' own."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.evaluation.eig import column_likelihood
from aline_tf.tasks.ces import CES
from aline_tf.tasks.location_finding import LocationFinding
from aline_tf.tasks.psychometric import Psychometric


@pytest.mark.parametrize(
    "task",
    [LocationFinding(), LocationFinding(sources=2, dims=3), CES(), Psychometric()],
    ids=["one source", "two sources", "ces", "no form of its own"],
)
def test_columns_give_the_values_of_the_task(task):
    theta = task.sample_theta(draws.as_seed(1), 400)
    design = task.sample_designs(draws.as_seed(2), 1, 40)
    outcome = task.simulate(theta[:1], design, draws.as_seed(3))
    likelihood = column_likelihood(task)
    numbers = likelihood.numbers(design[0], outcome[0])
    columns = tf.unstack(theta, axis=-1)
    found = tf.stack([likelihood.of_columns(columns, row) for row in tf.unstack(numbers)])
    expected = task.log_likelihood(theta, design[0][:, None], outcome[0][:, None])
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-3)


def test_ces_answers_of_every_kind_and_empty_baskets_are_met():
    task = CES()
    theta = task.sample_theta(draws.as_seed(5), 300)
    design = tf.constant([[0.0, 5.0, 90.0, 20.0, 0.0, 3.0]])
    likelihood = column_likelihood(task)
    for answer in ([15.2, 0.0, 1.0], [-15.2, 1.0, 0.0], [0.7, 0.0, 0.0]):
        outcome = tf.constant([answer])
        numbers = likelihood.numbers(design, outcome)[0]
        found = likelihood.of_columns(tf.unstack(theta, axis=-1), numbers)
        assert np.isfinite(found).all()
        expected = task.log_likelihood(theta, design, outcome)
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-3)
