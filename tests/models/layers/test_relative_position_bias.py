"""Relative places: messages, frames, views and anchors, each against what it must equal."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from aline_tf.models.aline import ALINE
from aline_tf.models.distributions import mixtures
from aline_tf.models.layers.kernel_smoother import KernelSmoother
from aline_tf.models.layers.location_frame import LocationFrame
from aline_tf.models.layers.posterior_distance import PosteriorDistance
from aline_tf.models.layers.relative_position_bias import (
    RelativePositionBias,
    log_distances,
    relative_size,
)
from aline_tf.spec import Channel, Parameter, TaskSpec
from tests.models.batches import SIZES, random_batch
from tests.models.layer_harness import check_layer

SURFACE = TaskSpec(
    name="surface",
    design_names=("x1", "x2"),
    design_low=(-5.0, 0.0),
    design_high=(5.0, 2.0),
    fields=(Channel("y", loc=3.0, scale=2.0),),
    outcomes=(Channel("y", loc=3.0, scale=2.0),),
    parameters=(
        Parameter("spread"),
        Parameter("peak_1", low=-5.0, high=5.0, axis=0),
        Parameter("peak_2", low=0.0, high=2.0, axis=1),
    ),
    horizon=5,
)


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def relations_inputs():
    return {
        "tokens": normal(1, 2, 3, 8),
        "position": normal(2, 2, 3, 2),
        "keys": normal(3, 2, 4, 8),
        "key_position": normal(4, 2, 4, 2),
        "stands": np.array([[True, True, True], [True, False, True]]),
        "placed": np.array([[True, True, False, True], [True, False, False, False]]),
    }


def test_layer_contracts():
    check_layer(
        lambda **kw: RelativePositionBias(8, 2, 4, num_biases=3, **kw), relations_inputs(), None
    )
    check_layer(
        lambda **kw: KernelSmoother(8, 2, **kw),
        {
            "targets": normal(1, 2, 3, 8),
            "context": normal(2, 2, 4, 8),
            "value": normal(3, 2, 4),
            "readable": np.array([[True, True, False, True]] * 2),
            "bias": normal(4, 2, 2, 3, 4),
        },
        None,
    )
    check_layer(
        lambda **kw: LocationFrame(8, 2, 4, intermediate_dim=8, **kw),
        {
            "tokens": normal(1, 2, 3, 8),
            "context": normal(2, 2, 4, 8),
            "position": normal(3, 2, 4, 2),
            "visible": np.array([[True, True, False, True]] * 2),
            "placed": np.array([[False, True, True, True]] * 2),
        },
        None,
    )
    check_layer(
        lambda **kw: PosteriorDistance(8, 2, **kw),
        {
            "candidates": normal(1, 2, 3, 8),
            "position": normal(2, 2, 3, 2),
            "mean": normal(3, 2, 2),
            "sd": np.abs(normal(4, 2, 2)),
        },
        None,
    )


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_distances_are_as_many_as_they_say_and_a_thousandth_is_seen(dims):
    near, nearer = (log_distances([np.full([1, 1, 1], r, "f")] * dims) for r in (1e-3, 2e-3))
    assert dims + len(near) == relative_size(dims)
    assert np.abs(np.subtract(near, nearer)).max() > 0.01


def test_messages_see_differences_only_and_skip_what_is_no_pair():
    layer = RelativePositionBias(8, 2, 4, num_biases=3)
    layer.build()
    inputs = relations_inputs()
    message, bias, _ = layer(**inputs)
    moved = dict(inputs)
    moved["position"] = inputs["position"] + 0.5
    moved["key_position"] = inputs["key_position"] + 0.5
    np.testing.assert_allclose(layer(**moved)[0], message, atol=1e-5)
    other = dict(inputs, key_position=inputs["key_position"].copy(), keys=inputs["keys"].copy())
    other["key_position"][0, 2] = 9.0
    other["keys"][0, 2] = 9.0
    np.testing.assert_array_equal(layer(**other)[0], message)
    assert bias.shape == (3, 2, 3, 4)


def test_a_frame_says_the_same_mixture_where_it_stands():
    """Raw locations m in a frame (c, w) are components near c + w m, spread 2 w softplus(s)."""
    raw = tf.constant([[0.0, 0.0, -1.0, 1.0, 0.3, 0.3]])
    framed = mixtures.in_frame(raw, 2, tf.constant([[0.4]]), tf.constant([[0.001]]))
    mixture = mixtures.from_raw(framed, 2, truncated=True)
    np.testing.assert_allclose(mixture.loc[0], [0.399, 0.401], atol=2e-5)
    np.testing.assert_allclose(mixture.scale[0], 2e-3 * np.log1p(np.exp(0.3)), atol=3e-4)


def test_an_anchor_says_the_same_mixture_where_it_stands():
    raw = tf.constant([[0.0, 0.0, -1.0, 1.0, 0.3, 5.0]])
    framed = mixtures.from_anchor(raw, 2, tf.constant([[7.0]]), tf.constant([[0.1]]))
    mixture = mixtures.from_raw(framed, 2, truncated=False)
    np.testing.assert_allclose(mixture.loc[0], [6.9, 7.1], rtol=1e-6)
    expected = 0.1 * np.log1p(np.exp([0.3, 5.0]))
    np.testing.assert_allclose(mixture.scale[0], expected, atol=2 * mixtures.MIN_SCALE)


def test_the_centre_of_an_anchor_is_a_weighted_mean_of_readable_values():
    layer = KernelSmoother(8, 1)
    layer.build()
    value = np.array([[0.0, 2.0, 2.0, 50.0]], np.float32)
    readable = np.array([[False, True, True, False]])
    center, _ = layer(
        normal(1, 1, 3, 8), normal(2, 1, 4, 8), value, readable, np.zeros([1, 1, 3, 4], "f")
    )
    gates = layer.gates(normal(1, 1, 3, 8))[..., 0] + 1.0
    np.testing.assert_allclose(center[..., 0], 2.0 * gates, rtol=1e-5)


def test_the_posterior_is_read_and_not_taught():
    layer = PosteriorDistance(8, 1)
    layer.build()
    mean, sd = tf.constant([[0.2]]), tf.constant([[0.1]])
    with tf.GradientTape() as tape:
        tape.watch([mean, sd])
        out = tf.reduce_sum(layer(normal(1, 1, 3, 8), normal(2, 1, 3, 1), mean, sd))
    assert tape.gradient(out, [mean, sd]) == [None, None]


@pytest.fixture(scope="module")
def surface():
    keras.utils.set_random_seed(5)
    model = ALINE(SURFACE, **SIZES, relative_position_dim=4)
    model.build()
    return model


def test_distance_from_posterior_is_that_from_the_posterior_means(surface):
    batch = random_batch(4, SURFACE)
    outputs = surface(batch)
    mean = surface.theta_summary(outputs)["mean"].numpy()[:, 1:]
    # Both axes from their bounds to [-1, 1].
    place = (mean - [0.0, 1.0]) / [5.0, 1.0]
    pool = (batch["candidate_design"] - [0.0, 1.0]) / [5.0, 1.0]
    square = np.square(pool - place[:, None]).sum(-1)
    np.testing.assert_allclose(surface.distance_from_posterior(outputs, batch), square, rtol=1e-3)


def test_location_parameters_and_interpolation_stand_where_the_task_has_them(surface):
    assert surface.location_parameters == [1, 2]
    assert surface.interpolates
    plain = ALINE(SURFACE, **SIZES)
    assert plain.location_parameters == [] and not plain.interpolates
    two_outcomes = dataclasses.replace(SURFACE, fields=SURFACE.fields * 2)
    assert not ALINE(two_outcomes, **SIZES, relative_position_dim=4).interpolates


@pytest.mark.parametrize("size", [0, 1, 5])
def test_finite_at_every_context_size(surface, size):
    batch = random_batch(3, SURFACE, C=size)
    outputs = surface(batch)
    for value in outputs.values():
        assert np.isfinite(value).all()
    for value in surface.answer(batch).values():
        assert np.isfinite(value).all()


def test_padding_is_invisible_and_order_does_not_matter(surface):
    batch = random_batch(4, SURFACE)
    batch["context_mask"][:] = True
    expected = surface(batch)
    turned = dict(batch)
    for name in ("context_design", "context_outcome", "context_status"):
        turned[name] = batch[name][:, ::-1]
        pad = np.full_like(batch[name][:, :1], 7 if batch[name].dtype.kind == "i" else np.nan)
        turned[name] = np.concatenate([turned[name], pad], axis=1)
    turned["context_mask"] = np.pad(batch["context_mask"], [[0, 0], [0, 1]])
    for name, value in surface(turned).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-5, rtol=1e-5)
