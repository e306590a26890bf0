"""The oracle of the promises in the plane against sums over a fine even grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.batch import NO_ANSWER
from aline_tf.batch_ops import condition_on, from_history
from aline_tf.experiments.location_finding.exact_inference import LocationInference

SIZES = {"D": 2, "F": 1, "P": 2}
FINE = 200


def log_signal(theta, place):
    return np.log(0.1 + 1 / (1e-4 + np.square(theta - place).sum(-1)))


def trials_of(seed, count):
    rng = np.random.default_rng(seed)
    theta = rng.random(2)
    design = np.float32(rng.random((count, 2)))
    outcome = np.float32(log_signal(theta, design) + 0.5 * rng.standard_normal(count))
    return theta, design, outcome, rng.random(count) < 0.7


def fine_grid(design, outcome, known=()):
    middles = (np.arange(FINE) + 0.5) / FINE
    axes = [np.array([known[p]]) if p in known else middles for p in (0, 1)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    level = np.zeros(nodes.shape[:2])
    for x, y in zip(design, outcome, strict=True):
        level -= 0.5 * np.square((y - log_signal(nodes, x)) / 0.5)
    mass = np.exp(level - level.max())
    return nodes, mass / mass.sum(), np.log(mass.mean()) + level.max()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), count=st.integers(0, 9), which=st.sampled_from([(), (0,), (1,)]))
def test_it_agrees_with_a_fine_grid(seed, count, which):
    theta, design, outcome, answered = trials_of(seed, count)
    batch = from_history(SIZES, design[None], outcome[None, :, None])
    batch["context_status"][0, ~answered] = NO_ANSWER
    batch = condition_on(batch, theta[None], np.isin([0, 1], which))
    known = {p: float(np.float32(theta[p])) for p in which}
    nodes, mass, evidence = fine_grid(design[answered], outcome[answered], known)
    mean = (mass[..., None] * nodes).sum((0, 1))
    away = nodes - mean
    sd = np.sqrt((mass[..., None] * np.square(away)).sum((0, 1)))
    exact = LocationInference()
    found = exact.summary(batch, theta[None])
    scale = np.maximum(sd, 0.02)
    assert np.abs((found.mean[0] - mean) / scale).max() < 0.05
    assert np.abs((found.sd[0] - sd) / scale).max() < 0.05
    point = np.array([known.get(p, theta[p]) for p in (0, 1)])
    level = -0.5 * np.square((outcome[answered] - log_signal(point, design[answered])) / 0.5).sum()
    assert exact.joint_log_prob(batch, theta[None])[0] == pytest.approx(level - evidence, abs=0.06)
    for p in {0, 1} - set(which):
        cdf = np.append(0.0, np.cumsum(mass.sum(1 - p)))
        at = np.interp(theta[p], np.linspace(0, 1, FINE + 1), cdf)
        assert found.below[0, p] == pytest.approx(at, abs=0.03)
        column = np.interp(theta[p], (np.arange(FINE) + 0.5) / FINE, mass.sum(1 - p)) * FINE
        assert found.log_density[0, p] == pytest.approx(np.log(max(column, 1e-9)), abs=0.2)
    if not which:
        covariance = (mass * away[..., 0] * away[..., 1]).sum()
        assert exact.correlation(batch)[0, 0, 1] == pytest.approx(covariance / sd.prod(), abs=0.05)
        drawn = exact.joint_draws(batch, 2)
        apart = mass.sum(1, keepdims=True) * mass.sum(0)
        gain = (mass * np.log(np.maximum(mass, 1e-300) / np.maximum(apart, 1e-300))).sum()
        assert drawn.expected_gain[0] == pytest.approx(gain, abs=0.05)
        np.testing.assert_allclose(
            exact.joint_log_prob(batch, drawn.theta[:, 1]), drawn.log_prob[:, 1], atol=1e-6
        )


def test_a_long_history_is_found_however_narrow_it_is():
    rng = np.random.default_rng(3)
    theta = np.array([0.31, 0.74])
    design = np.float32(np.clip(theta + 0.05 * rng.standard_normal((120, 2)), 0, 1))
    outcome = np.float32(log_signal(theta, design) + 0.5 * rng.standard_normal(120))
    batch = from_history(SIZES, design[None], outcome[None, :, None])
    usual = LocationInference().summary(batch, theta[None])
    finer = LocationInference(size=120).summary(batch, theta[None])
    assert (usual.sd < 0.01).all()
    np.testing.assert_allclose(usual.mean, finer.mean, atol=0.1 * finer.sd.min())
    np.testing.assert_allclose(usual.sd, finer.sd, rtol=0.05)
    assert (np.abs(usual.mean[0] - theta) < 4 * usual.sd[0]).all()


def test_gains_are_about_the_whole_place_alone():
    batch = from_history(SIZES, np.zeros((1, 0, 2)), np.zeros((1, 0, 1)))
    batch |= {
        "candidate_design": np.float32([[[0.5, 0.5], [0.0, 0.0]]]),
        "candidate_mask": np.ones((1, 2), bool),
    }
    exact = LocationInference()
    assert exact.gain(batch) is None
    gain = exact.gain(batch | {"theta_mask": np.ones((1, 2), bool)})[0]
    # The middle is near to more of the square than a corner is.
    assert gain[0] > gain[1] > 0.1
