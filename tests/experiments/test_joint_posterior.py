"""The joint posterior against the product of marginals, and against the exact one."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate

from aline_tf.acquisition.policies import RandomPolicy
from aline_tf.evaluation.simulated_runs import RunData, SimulatedRuns, context_batch
from aline_tf.experiments import experiment_by_name
from aline_tf.experiments.joint_posterior import joint_and_marginal, joint_results
from aline_tf.experiments.location_finding.exact import exact_joint
from aline_tf.models.aline import ALINE
from aline_tf.models.joint import joint_log_prob
from aline_tf.tasks.ces import CES
from aline_tf.tasks.location_finding import LocationFinding
from tests.seeds import seed_weights

STEPS = (0, 3)


def free_parameters(name):
    """The parameters of a task that have a joint density."""
    experiment = experiment_by_name(name)
    names = experiment.task.spec.parameter_names
    return tuple(name for name in names if name not in experiment.determined)


def small(task):
    seed_weights(1)
    model = ALINE(
        task.spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2
    )
    model.build()
    return model


@pytest.mark.parametrize("task", [LocationFinding(), CES()], ids=lambda task: task.spec.name)
def test_the_chain_and_the_marginals_count_the_same_parameters(task):
    data = SimulatedRuns(task, 5, 12, seed=1, horizon=4).play(RandomPolicy(0))
    model = small(task)
    names = free_parameters(task.spec.name)
    joint, marginal = joint_and_marginal(model, data, STEPS, names)
    batch = {k: tf.constant(v) for k, v in context_batch(task.spec, data, 3, slice(5)).items()}
    counted = np.array(task.spec.parameter_mask(names))
    one_by_one = model.theta_log_prob(model(batch), data.theta).numpy()
    # Log densities of several parameters may nearly cancel: an absolute error too.
    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(marginal[:, 1], one_by_one[:, counted].sum(1), **close)
    expected = joint_log_prob(model, batch, data.theta, names)
    np.testing.assert_allclose(joint[:, 1], expected, **close)
    found = joint_results("p", model, data, STEPS, names)
    rows = {(each.metric, each.step): each.mean for each in found}
    difference = rows["joint_log_prob", 3] - rows["marginal_log_prob", 3]
    assert rows["joint_gain", 3] == pytest.approx(difference, abs=1e-5)


def test_a_share_that_the_others_determine_is_not_counted():
    assert free_parameters("ces") == ("rho", "alpha_1", "alpha_2", "log_u")
    assert free_parameters("location_finding") == ("source1_x1", "source1_x2")


def test_the_exact_joint_integrates_to_one():
    found = SimulatedRuns(LocationFinding(), 1, 12, seed=3, horizon=2).play(RandomPolicy(0))
    side = (np.arange(90) + 0.5) / 90
    theta = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    # The posterior of one history at many places: as if each were the truth.
    everywhere = RunData(
        theta,
        np.repeat(found.design, len(theta), axis=0),
        np.repeat(found.outcome, len(theta), axis=0),
    )
    log_density = exact_joint(everywhere, (0, 2))
    np.testing.assert_allclose(log_density[:, 0], 0.0, atol=1e-9)
    density = np.exp(log_density[:, 1]).reshape(90, 90)
    total = integrate.trapezoid(integrate.trapezoid(density, side), side)
    assert density.mean() == pytest.approx(1.0, abs=0.01)
    assert total == pytest.approx(1.0, abs=0.03)
