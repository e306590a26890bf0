"""Amortized inference against exact answers, after seconds of training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import extend_context
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.training.small_tasks import BaseRates, ConjugateNormal

ROWS = 4000


def trained(task, model, steps, rate):
    recipe = Recipe(
        warmup_steps=steps,
        joint_steps=0,
        warmup_batch=128,
        pool=8,
        candidates_per_step=1,
        conditioning_rate=0.0,
        learning_rate=rate,
    )
    trainer = Trainer(model, task)
    trainer.compile(recipe=recipe, seed=1)
    trainer.fit(steps_per_epoch=steps, verbose=0)
    return model


def test_a_conjugate_normal_posterior_is_met_within_a_twentieth_of_a_nat(make_model):
    task = ConjugateNormal()
    horizon = task.spec.horizon
    model = trained(
        task,
        make_model(task, hidden_dim=16, intermediate_dim=32, components=2),
        steps=700,
        rate=4e-3,
    )
    episode = task.sample_episodes(draws.as_seed(99), ROWS, horizon)
    state = extend_context(episode, horizon)
    state["context_outcome"] = episode["candidate_outcome"]
    state["context_status"] = episode["candidate_status"]
    gap = []
    for size in range(horizon + 1):
        state["context_mask"] = tf.repeat(tf.range(horizon)[None] < size, ROWS, axis=0)
        outputs = model(state)
        q = model.theta_log_prob(outputs, state["theta"])[:, 0]
        p = task.log_posterior(
            state["theta"][:, 0], state["context_outcome"][..., 0], state["context_mask"]
        )
        gap.append(float(tf.reduce_mean(p - q)))
        if size:
            mean = model.theta_summary(outputs)["mean"][:, 0].numpy()
            exact = state["context_outcome"][:, :size, 0].numpy().sum(1) / (size + task.NOISE**2)
            assert np.corrcoef(mean, exact)[0, 1] > 0.98
    assert np.mean(gap) < 0.05
    assert np.max(gap) < 0.12
    assert np.min(gap) > -0.01  # nothing beats the exact posterior


@pytest.fixture(scope="module")
def base_rates(make_model):
    task = BaseRates()
    model = trained(
        task, make_model(task, hidden_dim=4, intermediate_dim=8, components=2), 300, 2e-2
    )
    batch = task.sample_episodes(draws.as_seed(5), 2, 1)
    batch["target_design"] = tf.constant([[[1.0, 0.0], [0.0, 1.0]]] * 2)
    return model, batch, model(batch)


def test_an_ordered_outcome_learns_its_frequencies(base_rates):
    model, batch, outputs = base_rates
    probability = model.outcome_prediction(outputs, batch).category_probabilities()[0, 0]
    np.testing.assert_allclose(probability, BaseRates.RATING, atol=0.03)


def test_a_binary_outcome_learns_its_rate(base_rates):
    model, batch, outputs = base_rates
    mean = model.target_summary(outputs, batch)["mean"][0, 1]
    np.testing.assert_allclose(mean, BaseRates.EVENT, atol=0.03)


def test_a_binary_parameter_learns_its_prior(base_rates):
    model, _, outputs = base_rates
    np.testing.assert_allclose(model.theta_summary(outputs)["probability"], 0.8, atol=0.03)


def test_training_leaves_no_global_state_behind():
    assert keras.config.floatx() == "float32"
    assert keras.config.dtype_policy().name == "float32"
