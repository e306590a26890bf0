"""Exact predictions of answers in turn, against quadrature."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

from aline_tf import draws
from aline_tf.acquisition.refined.prequential import can_predict, predict_in_turn
from aline_tf.acquisition.refined.refinement import Refinement
from aline_tf.batch_ops import from_history
from aline_tf.errors import InputError
from aline_tf.experiments.psychometric.misfits import exact_chances
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks import CES, GP1D, LocationFinding, Psychometric, Task


@pytest.mark.parametrize("kind", ["described", "inverted"])
def test_chances_of_yes_are_those_of_the_grid(kind):
    rng = np.random.default_rng(3)
    design = rng.uniform(-5.0, 5.0, (60, 1)).astype(np.float32)
    rise = 1.0 - np.exp(-(10.0 ** np.minimum((design - 0.4) / 0.5, 3.0)))
    yes = rng.random((60, 1)) < 0.05 + 0.9 * rise
    outcome = (yes if kind == "described" else ~yes).astype(np.float32)
    found = predict_in_turn(Psychometric(), design, outcome)
    exact = exact_chances(design[None], outcome[None])[0]
    np.testing.assert_allclose(found.yes, exact, atol=0.05)
    assert np.abs(found.yes - exact).mean() < 0.01 and found.level is None
    came = np.where(outcome[:, 0] > 0.5, exact, 1.0 - exact)
    assert found.log_evidence == pytest.approx(np.log(came).sum(), abs=0.2)


def test_levels_of_continuous_answers_are_those_of_the_grid():
    rng, source = np.random.default_rng(4), np.array([0.3, 0.6])
    near = np.clip(source + 0.1 * rng.standard_normal((25, 2)), 0.0, 1.0)
    design = np.concatenate([rng.random((5, 2)), near]).astype(np.float32)

    def heard(places):
        square = np.square(places[:, None] - design).sum(-1)
        return np.log(0.1 + 1.0 / (1e-4 + square))

    outcome = heard(source[None])[0] + 0.5 * rng.standard_normal(30)
    axis = (np.arange(400) + 0.5) / 400
    mean = heard(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2))
    seen = norm.logpdf(outcome, mean, 0.5)
    before = np.cumsum(seen, 1) - seen
    weight = np.exp(before - before.max(0))
    exact = (weight * norm.cdf(outcome, mean, 0.5)).sum(0) / weight.sum(0)
    total = np.log(np.exp(seen.sum(1) - seen.sum(1).max()).mean()) + seen.sum(1).max()
    found = predict_in_turn(LocationFinding(), design, outcome[:, None].astype(np.float32))
    assert np.abs(found.level - exact).mean() < 0.03 and np.abs(found.level - exact).max() < 0.1
    assert found.log_evidence == pytest.approx(total, abs=0.2) and found.yes is None


def test_a_known_parameter_is_conditioned_on():
    design = np.full((8, 1), -5.0, np.float32)
    outcome = np.ones((8, 1), np.float32)
    mask, theta = np.array([0, 0, 1, 1], bool), np.array([0.0, 0.0, 0.8, 0.4])
    found = predict_in_turn(Psychometric(), design, outcome, mask, theta)
    # So far to the left hardly anybody perceives anything: yes is a guess, of known probability.
    np.testing.assert_allclose(found.yes, 0.32, atol=0.03)
    whole = predict_in_turn(
        Psychometric(), design, outcome, np.ones(4, bool), np.array([3, 0.1, 0.8, 0.4])
    )
    np.testing.assert_allclose(whole.yes, 0.32, atol=1e-4)


def test_what_cannot_be_predicted_is_known_beforehand():
    assert can_predict(Psychometric()) and can_predict(LocationFinding(sources=2))
    assert not can_predict(GP1D()) and not can_predict(CES())


class Bounded(Task):
    """y = a x + u, u ~ U(-.1, .1), a ~ N(0, 1): some answers cannot be."""

    spec = TaskSpec(
        "bounded",
        ("x",),
        (0.0,),
        (1.0,),
        (Channel("y"),),
        (Channel("y"),),
        (Parameter("a", "real"),),
        3,
    )

    def sample_theta(self, seed, batch):
        return draws.normal(seed, [batch, 1])

    def simulate(self, theta, design, seed):
        return theta[:, None] * design + draws.uniform(seed, tf.shape(design), -0.1, 0.1)

    def log_likelihood(self, theta, design, outcome):
        away = tf.abs(outcome[..., 0] - theta[..., 0] * design[..., 0])
        return tf.where(away < 0.1, tf.math.log(5.0), -np.inf)

    def log_prior(self, theta):
        return -0.5 * tf.square(theta[..., 0]) - 0.5 * math.log(2.0 * math.pi)


def test_answers_that_cannot_be_leave_numbers_and_are_refused_by_a_posterior(recwarn):
    design, outcome = np.ones([3, 1], np.float32), np.float32([[1.0], [1.1], [2.0]])
    possible = predict_in_turn(Bounded(), design[:2], outcome[:2])
    assert np.isfinite(possible.level).all() and np.isfinite(possible.log_evidence)
    found = predict_in_turn(Bounded(), design, outcome)
    assert np.isfinite(found.level).all() and found.level[2] == 1.0
    assert found.log_evidence == -np.inf
    again = predict_in_turn(Bounded(), np.ones([5, 1], np.float32), np.full([5, 1], 99, np.float32))
    assert np.isfinite(again.level).all()
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]
    batch = from_history(Bounded.spec.sizes, design[None], outcome[None])
    with pytest.raises(InputError, match="expected answers that task 'bounded' can have"):
        Refinement(Bounded()).posterior(batch)
