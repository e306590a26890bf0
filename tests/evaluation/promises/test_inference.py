"""A model's answers for promises are those of the model, whatever else a batch holds."""

import numpy as np
import pytest

from aline_tf.batch_ops import condition_on
from aline_tf.evaluation.promises import Inference, ModelInference
from aline_tf.models.joint import joint_log_prob


@pytest.fixture(scope="module")
def network(psychometric_model):
    return ModelInference(psychometric_model, draws=40)


def test_marginals_are_the_models_own(network, examined):
    histories = examined().runs
    batch = histories.after(9)
    found = network.summary(batch, histories.theta)
    outputs = network.model(batch)
    mean, sd = network.model.theta_posterior(outputs).mean_sd()
    log_prob = network.model.theta_log_prob(outputs, histories.theta)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.sd, sd, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.log_density, log_prob, rtol=1e-4, atol=1e-4)
    assert (found.low < found.high).all()
    assert ((found.below >= 0) & (found.below <= 1)).all()


def test_the_joint_is_the_chains(network, examined):
    histories = examined().runs
    batch = histories.after(4)
    for order in (None, ("lapse", "guess", "slope", "threshold")):
        expected = joint_log_prob(network.model, batch, histories.theta, order)
        found = network.joint_log_prob(batch, histories.theta, order)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_correlations_are_of_as_many_draws_and_zero_for_what_is_known(network, examined):
    histories = examined().runs
    given = np.array([True, False, False, False])
    batch = condition_on(histories.after(4), histories.theta, given)
    found = network.correlation(batch)
    assert found.shape == (16, 4, 4)
    assert not found[:, 0].any()
    np.testing.assert_allclose(found[:, 1, 1], 1.0)
    assert network.correlation_draws() == 40


def test_what_an_oracle_cannot_answer_is_none():
    nothing = Inference()
    assert nothing.joint_log_prob({}, np.zeros((1, 1))) is None
    assert nothing.correlation({}) is None
    with pytest.raises(NotImplementedError):
        nothing.summary({}, np.zeros((1, 1)))
