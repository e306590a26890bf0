"""Gaussian processes inside the network, against scikit-learn's kernels and dense algebra."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import multivariate_normal
from sklearn.gaussian_process.kernels import ConstantKernel

from aline_tf import draws
from aline_tf.acquisition.baselines.gp_regression import GPPosterior, unit_kernel
from aline_tf.batch_ops import append_pool
from aline_tf.models.aline import ALINE
from aline_tf.models.layers.gaussian_process_mixture import (
    _VARIANCES,
    KINDS,
    GaussianProcessMixture,
    Observations,
)
from aline_tf.tasks.gp import GP1D, GP2D
from tests.models.batches import EVERY_KIND, SIZES, SURFACE, padded, random_batch
from tests.models.layer_harness import check_layer

LENGTH, LEVEL, NOISE = np.array([0.3, 0.7]), 0.2, 0.05
POINTS, WANTED = 6, np.array([[True, True, False, True]])


def surface_network(**kwargs):
    return ALINE(SURFACE, **SIZES, num_processes=3, **kwargs)


@pytest.fixture
def layer():
    """Three processes, one of each kind, that do not listen to the encoder."""
    layer = GaussianProcessMixture(hidden_dim=4, dims=2, num_processes=3)
    layer.build()
    row = [*np.log(LENGTH), np.log(LEVEL), np.log(NOISE), 0.0]
    layer.base.assign(np.tile(row, (3, 1)))
    return layer


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    design = rng.uniform(-1, 1, (POINTS, 2))
    return design, np.sin(3.0 * design[:, 0]) + design[:, 1], rng.uniform(-1, 1, (4, 2))


def observations(design, outcome):
    """Those of one row, and a slot of padding in front of them."""
    position = np.concatenate([np.full((1, 2), 0.9), design])[None]
    value = np.concatenate([[0.0], outcome])[None]
    seen = np.concatenate([[0.0], np.ones(len(design))])[None]
    return Observations(*(tf.constant(a, tf.float32) for a in (position, value, seen)))


def exact(kind, design, outcome, variance=1.0):
    signal = ConstantKernel(variance) * (unit_kernel(kind, LENGTH) + ConstantKernel(LEVEL))
    return GPPosterior(signal, variance * NOISE, design, outcome)


def log_evidence(kind, design, outcome, variance):
    signal = unit_kernel(kind, LENGTH)(design) + LEVEL + NOISE * np.eye(len(design))
    return multivariate_normal(cov=variance * signal).logpdf(outcome)


def test_predictions_are_those_of_processes_weighed_by_their_evidence(layer, data):
    design, outcome, points = data
    seen = observations(design, outcome)
    processes = layer.weigh(tf.zeros([1, 4]), seen)
    center, width, _ = layer.predict(processes, seen, tf.constant(points[None], tf.float32))

    evidence = np.array(
        [[log_evidence(kind, design, outcome, v) for v in _VARIANCES] for kind in KINDS]
    )
    joint = np.exp(evidence - evidence.max())
    weight = joint.sum(1) / joint.sum()
    variance = joint @ np.array(_VARIANCES) / joint.sum(1)
    found = [exact(kind, design, outcome).predict(points) for kind in KINDS]
    mean, sd = (np.stack(part) for part in zip(*found, strict=True))
    middle = weight @ mean
    spread = weight @ (variance[:, None] * np.square(sd) + np.square(mean - middle))
    np.testing.assert_allclose(processes.weight[0], weight, atol=1e-4)
    np.testing.assert_allclose(center[0, :, 0], middle, atol=1e-4)
    np.testing.assert_allclose(width[0, :, 0], np.sqrt(spread), rtol=1e-3)


@pytest.mark.parametrize("kind", range(3))
def test_expectations_are_those_of_the_process_that_the_weights_single_out(layer, data, kind):
    design, outcome, points = data
    layer.base.assign(tf.tensor_scatter_nd_update(layer.base.value, [[kind, 4]], [60.0]))
    seen = observations(design, outcome)
    processes = layer.weigh(tf.zeros([1, 4]), seen)
    pool = np.random.default_rng(2).uniform(-1, 1, (5, 2))
    log_sd, usual, gain = layer.expectations(
        processes,
        seen,
        tf.constant(pool[None], tf.float32),
        tf.constant(points[None], tf.float32),
        tf.constant(WANTED),
    )
    process = exact(KINDS[kind], design, outcome, float(processes.variance[0, kind]))
    wanted = points[WANTED[0]]
    joint = process.joint(pool, wanted)
    np.testing.assert_allclose(gain[0], joint.expected_information(), rtol=2e-3)
    np.testing.assert_allclose(log_sd[0], np.log(process.predict(pool)[1]), atol=1e-3)
    np.testing.assert_allclose(usual[0], np.log(process.predict(wanted)[1]).mean(), atol=1e-3)


def test_without_observations_it_says_the_prior(layer):
    nothing = Observations(tf.zeros([1, 2, 2]), tf.zeros([1, 2]), tf.zeros([1, 2]))
    processes = layer.weigh(tf.zeros([1, 4]), nothing)
    center, width, _ = layer.predict(processes, nothing, tf.zeros([1, 1, 2]))
    assert float(center[0, 0, 0]) == 0.0
    prior = np.mean(_VARIANCES) * (1.0 + LEVEL + NOISE)
    np.testing.assert_allclose(float(width[0, 0, 0]), np.sqrt(prior), rtol=1e-4)
    view = layer.expectations(
        processes, nothing, tf.zeros([1, 3, 2]), tf.zeros([1, 4, 2]), tf.zeros([1, 4], tf.bool)
    )
    assert all(np.isfinite(part).all() for part in view)
    assert not np.any(view[2])


def test_one_place_measured_many_times_is_no_obstacle(layer):
    seen = observations(np.zeros((40, 2)), np.ones(40))
    processes = layer.weigh(tf.zeros([1, 4]), seen)
    center, width, _ = layer.predict(processes, seen, tf.zeros([1, 1, 2]))
    np.testing.assert_allclose(float(center[0, 0, 0]), 1.0, atol=0.01)
    assert np.isfinite(width).all()


def test_network_contract():
    check_layer(surface_network, {"batch": random_batch(1, SURFACE)}, None)


def test_padding_and_order_change_nothing():
    network, batch = surface_network(), random_batch(2, SURFACE)
    plain = network(batch)
    wide = network(padded(batch, np.nan, C=2, N=3))
    np.testing.assert_allclose(plain["theta_raw"], wide["theta_raw"], atol=1e-5)
    np.testing.assert_allclose(plain["target_raw"], wide["target_raw"], atol=1e-5)
    pool = batch["candidate_mask"].shape[1]
    logits = wide["candidate_logits"][:, :pool]
    np.testing.assert_allclose(plain["candidate_logits"], logits, atol=1e-5)
    turned = {
        name: array[:, ::-1] if name.startswith("context") else array
        for name, array in batch.items()
    }
    again = network(turned)
    for name in ("theta_raw", "target_raw", "candidate_logits"):
        np.testing.assert_allclose(plain[name], again[name], atol=1e-5)


@pytest.mark.parametrize("name", ["gp1d", "gp2d"])
def test_the_order_of_many_close_measurements_is_not_seen(name):
    """Where covariances are nearly singular, by models whose scores are steep."""
    model, task = ALINE.from_preset(name), {"gp1d": GP1D, "gp2d": GP2D}[name]()
    count, pool = 30, 20
    episode = task.sample_episodes(draws.as_seed(4), 2, count + pool)
    state = append_pool(episode, tf.tile(tf.range(count + pool)[None] < count, [2, 1]))
    state |= {"target_mask": tf.ones_like(state["target_mask"])}
    order = np.random.default_rng(0).permutation(state["context_mask"].shape[1])
    turned = {
        key: tf.gather(array, order, axis=1) if key.startswith("context_") else array
        for key, array in state.items()
    }
    # Not `assert_allclose` of everything: what is no candidate scores -1e9.
    allowed = np.asarray(state["candidate_mask"])
    plain, again = model.answer(state), model.answer(turned)
    for key in plain:
        one, other = np.asarray(plain[key]), np.asarray(again[key])
        if key == "candidate_logits":
            one, other = one[allowed], other[allowed]
            assert np.ptp(one) > 1.0
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-5, err_msg=key)


def test_candidates_do_not_see_each_other():
    network, batch = surface_network(), random_batch(3, SURFACE)
    whole = network(batch)["candidate_logits"]
    part = dict(batch)
    for name in ("candidate_design", "candidate_mask"):
        part[name] = batch[name][:, 1:3]
    np.testing.assert_allclose(whole[:, 1:3], network(part)["candidate_logits"], atol=1e-5)


def test_it_refuses_what_it_cannot_model():
    with pytest.raises(ValueError, match="num_processes=3"):
        ALINE(EVERY_KIND, **SIZES, num_processes=3)
    with pytest.raises(ValueError, match="multiple of 3"):
        GaussianProcessMixture(num_processes=4)
