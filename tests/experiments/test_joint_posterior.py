"""The joint posterior against the product of marginals, and against the exact one."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate

from aline_tf.acquisition.policies import RandomPolicy
from aline_tf.evaluation.simulated_runs import Histories, Worlds, context_batch
from aline_tf.experiments.joint_posterior import (
    exact_location_joint,
    free_parameters,
    joint_and_marginal,
    joint_rows,
)
from aline_tf.models.aline import ALINE
from aline_tf.models.joint import joint_log_prob
from aline_tf.tasks.ces import CES
from aline_tf.tasks.location_finding import LocationFinding

STEPS = (0, 3)


def small(task):
    keras.utils.set_random_seed(1)
    model = ALINE(
        task.spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2
    )
    model.build()
    return model


@pytest.mark.parametrize("task", [LocationFinding(), CES()], ids=lambda task: task.spec.name)
def test_the_chain_and_the_marginals_count_the_same_parameters(task):
    histories = Worlds(task, 5, 12, seed=1, horizon=4).play(RandomPolicy(0))
    model = small(task)
    joint, marginal = joint_and_marginal(model, histories, STEPS)
    names = free_parameters(task.spec)
    batch = {k: tf.constant(v) for k, v in context_batch(task.spec, histories, 3, slice(5)).items()}
    counted = np.array(task.spec.parameter_mask(names))
    one_by_one = model.theta_log_prob(model(batch), histories.theta).numpy()
    # Log densities of several parameters may nearly cancel: an absolute error too.
    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(marginal[:, 1], one_by_one[:, counted].sum(1), **close)
    expected = joint_log_prob(model, batch, histories.theta, names)
    np.testing.assert_allclose(joint[:, 1], expected, **close)
    rows = {(row.metric, row.step): row.mean for row in joint_rows("p", model, histories, STEPS)}
    difference = rows["joint_log_prob", 3] - rows["marginal_log_prob", 3]
    assert rows["joint_gain", 3] == pytest.approx(difference, abs=1e-5)


def test_a_share_that_the_others_determine_is_not_counted():
    assert free_parameters(CES().spec) == ("rho", "alpha_1", "alpha_2", "log_u")
    assert free_parameters(LocationFinding().spec) == ("source1_x1", "source1_x2")


def test_the_exact_joint_integrates_to_one():
    found = Worlds(LocationFinding(), 1, 12, seed=3, horizon=2).play(RandomPolicy(0))
    side = (np.arange(90) + 0.5) / 90
    theta = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    # The posterior of one history at many places: as if each were the truth.
    everywhere = Histories(
        theta,
        np.repeat(found.design, len(theta), axis=0),
        np.repeat(found.outcome, len(theta), axis=0),
    )
    log_density = exact_location_joint(everywhere, (0, 2))
    np.testing.assert_allclose(log_density[:, 0], 0.0, atol=1e-9)
    density = np.exp(log_density[:, 1]).reshape(90, 90)
    total = integrate.trapezoid(integrate.trapezoid(density, side), side)
    assert density.mean() == pytest.approx(1.0, abs=0.01)
    assert total == pytest.approx(1.0, abs=0.03)
