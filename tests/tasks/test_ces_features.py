"""Features of baskets and answers: finite everywhere, and what they are meant to show."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.tasks.ces import CES, LOGIT_CLIP, basket_worth
from aline_tf.tasks.ces_features import (
    DESIGN_FEATURES,
    OUTCOME_FEATURES,
    REFERENCES,
    CESDesignFeatures,
    CESOutcomeFeatures,
    design_features,
    outcome_features,
    reference_differences,
)
from aline_tf.tasks.psychometric import Psychometric
from tests.models.layer_harness import check_config_round_trip


@pytest.fixture(scope="module")
def task():
    return CES(close=0.5)


def test_sizes_and_scales(task):
    design = task.sample_designs(draws.as_seed(1), 100, 50)
    theta = task.sample_theta(draws.as_seed(2), 100)
    features = design_features(design).numpy()
    assert features.shape == (100, 50, DESIGN_FEATURES)
    answers = outcome_features(task.simulate(theta, design, draws.as_seed(3))).numpy()
    assert answers.shape == (100, 50, OUTCOME_FEATURES)
    for values in (features, answers):
        assert np.isfinite(values).all()
        assert np.abs(values).max() < 8.0
        assert values.std(axis=(0, 1)).min() > 0.1


def test_the_differences_are_those_of_the_reference_people(task):
    design = task.sample_designs(draws.as_seed(4), 3, 4)
    found = reference_differences(design).numpy()
    assert len(REFERENCES) == found.shape[-1]
    for k, (rho, shares) in enumerate(REFERENCES):
        assert sum(shares) == pytest.approx(1.0)
        rho = tf.fill(design.shape[:2], rho)
        first, second = (
            basket_worth(rho, tf.constant(shares), part) for part in tf.split(design, 2, axis=-1)
        )
        np.testing.assert_allclose(found[..., k], first - second, atol=1e-3)


def test_baskets_exchanged_turn_the_differences_round(task):
    design = task.sample_designs(draws.as_seed(5), 5, 4)
    turned = tf.concat([design[..., 3:], design[..., :3]], axis=-1)
    np.testing.assert_allclose(
        reference_differences(turned), -reference_differences(design), atol=1e-4
    )


@pytest.mark.parametrize("amount", [0.0, 100.0])
def test_features_at_the_walls_are_finite(amount):
    features = design_features(tf.fill([1, 6], amount)).numpy()
    assert np.isfinite(features).all()
    assert np.isfinite(design_features(tf.constant([[0.0] * 3 + [100.0] * 3]))).all()


def test_small_answers_are_told_apart():
    logits = np.array([0.0, 1e-5, 2e-5, -2e-3, -2.2e-3, 3.0, 3.3, LOGIT_CLIP], np.float32)
    outcome = np.stack([logits, logits < -LOGIT_CLIP, logits >= LOGIT_CLIP], -1)
    features = outcome_features(tf.constant(outcome.astype(np.float32))).numpy()
    gap = np.abs(np.diff(features, axis=0)).max(axis=1)
    # A tenth more shows, however small the answer.
    assert gap.min() > 0.02


LAYERS = {"candidate_design": CESDesignFeatures, "candidate_outcome": CESOutcomeFeatures}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_round_trips_and_its_calls_agree(name):
    values = CES().sample_episodes(draws.as_seed(1), 3, 4)[name]
    layer = LAYERS[name]()
    check_config_round_trip(layer)
    assert not layer.weights
    eager, graph = layer(values), tf.function(layer)(values)
    np.testing.assert_allclose(eager, graph, rtol=1e-5, atol=1e-5)
    assert tuple(eager.shape) == layer.compute_output_shape(values.shape)
    half = LAYERS[name](dtype="mixed_float16")
    assert half(values).shape == eager.shape


@pytest.mark.parametrize("name", LAYERS)
def test_features_take_any_leading_shape_and_an_empty_pool(name):
    values = CES().sample_episodes(draws.as_seed(1), 3, 4)[name]
    layer = LAYERS[name]()
    np.testing.assert_allclose(layer(values)[1, 2], layer(values[1, 2][None])[0], atol=1e-4)
    assert layer(values[:, :0]).shape == layer.compute_output_shape((3, 0, values.shape[-1]))


def test_a_task_without_feature_layers_has_none():
    assert Psychometric().feature_layers() == {}
