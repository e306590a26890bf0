"""REINFORCE against the exact gradient, on a task whose six action sequences are enumerated."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import append_candidate, drop_candidates, extend_context
from aline_tf.training import phases
from aline_tf.training.recipe import Recipe
from aline_tf.training.rollout import (
    selected_value,
)
from tests.training.small_tasks import OneEpisode

TEMPERATURE = 0.7
ESTIMATES = 100
RECIPE = {
    "batch": 256,
    "group_size": 4,
    "pool": 3,
    "candidates_per_step": 3,
    "steps_per_episode": 3,
    "conditioning_rate": 0.0,
    "entropy": (0.0, 0.0),
    "temperature": (TEMPERATURE, TEMPERATURE),
}


@pytest.fixture(scope="module")
def model(make_model):
    """Weights large enough that the policy has preferences and outcomes move beliefs, from a
    seed with gains and losses at both steps."""
    model = make_model(OneEpisode(), seed=11, hidden_dim=4, intermediate_dim=8, components=2)
    for variable in model.trainable_variables:
        if variable.path.endswith("kernel"):
            variable.assign(1.7 * variable)
    return model


def flat(model, tape, loss):
    variables = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
    return tf.concat([tf.reshape(gradient, [-1]) for gradient in gradients], 0)


def enumerate_runs(model):
    """log pi [6, 2] of both actions and log q [6, 3] along each of the six action sequences."""
    sequences = tf.constant(list(itertools.permutations(range(3), 2)))
    state = extend_context(OneEpisode().sample_episodes(draws.as_seed(1), 6, 3), 2)
    remaining, log_policy, value = state["candidate_mask"], [], []
    for t in range(2):
        current = state | {"candidate_mask": remaining}
        outputs = model(current)
        value.append(selected_value(model, outputs, current))
        scores = tf.nn.log_softmax(outputs["candidate_logits"] / TEMPERATURE)
        log_policy.append(tf.gather(scores, sequences[:, t], batch_dims=1))
        remaining &= ~tf.cast(tf.one_hot(sequences[:, t], 3), tf.bool)
        state = append_candidate(state, t, sequences[:, t])
    final = drop_candidates(state)
    value.append(selected_value(model, model(final), final))
    return tf.stack(log_policy, 1), tf.stop_gradient(tf.stack(value, 1))


@pytest.fixture(scope="module")
def exact(model):
    """Gradients of the loss (minus the objective, averaged over two steps) for both credits."""
    with tf.GradientTape(persistent=True) as tape:
        log_policy, value = enumerate_runs(model)
        probability = tf.exp(tf.reduce_sum(log_policy, 1))
        gain = tf.reduce_sum(probability * (value[:, 2] - value[:, 0]))
        # The paper's rule: own, clamped rewards, standardised under the policy, step by step.
        weight = tf.stop_gradient(probability)[:, None]
        reward = tf.maximum(value[:, 1:] - value[:, :-1], 0.0)
        mean = tf.reduce_sum(weight * reward, 0)
        deviation = tf.sqrt(tf.reduce_sum(weight * tf.square(reward - mean), 0))
        own = tf.reduce_sum(weight * log_policy * (reward - mean) / (deviation + 1e-6))
    np.testing.assert_allclose(tf.reduce_sum(probability), 1.0, rtol=1e-5)
    return {
        "reward_to_go": -flat(model, tape, gain).numpy() / 2,
        "immediate_reward": -flat(model, tape, own).numpy() / 2,
    }


def estimates(model, **changes):
    """Gradients [ESTIMATES, weights] of the joint loss without its inference part."""
    recipe = Recipe(**(RECIPE | {"policy_weight": 1.0} | changes))

    @tf.function
    def gradient(seed):
        with tf.GradientTape() as tape:
            loss, _ = phases.joint_loss(model, OneEpisode(), recipe, seed, 0.0)
        return flat(model, tape, loss)

    return np.stack([gradient(draws.as_seed(seed)) for seed in range(ESTIMATES)])


@pytest.fixture(scope="module")
def sampled(model):
    """Estimates for both credits, and for rewards without one and both baselines when every step
    costs a burden of its own (price -1: a constant that a baseline should remove)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phases, "loss_at_states", lambda *_: tf.zeros([]))
        found = {
            "reward_to_go": estimates(model, cost_weight=-1.0),
            "immediate_reward": estimates(model, credit="immediate_reward"),
        }
        patch.setattr(phases, "state_control_variate", lambda advantage_t, *_: advantage_t)
        found["group alone"] = estimates(model, cost_weight=-1.0)
        patch.setattr(phases, "leave_one_out_advantage", lambda return_t, _: return_t)
        found["no baseline"] = estimates(model, cost_weight=-1.0)
    return found


def deviation(sample, expected):
    """Root mean square of (mean - expected) in standard errors, over weights that matter."""
    error = sample.std(axis=0, ddof=1) / np.sqrt(len(sample))
    matters = error > 1e-7
    return np.sqrt(np.mean(np.square((sample.mean(0) - expected) / (error + 1e-12))[matters]))


@pytest.mark.parametrize("credit", ["reward_to_go", "immediate_reward"])
def test_the_sampled_gradient_is_the_exact_one_within_its_error(sampled, exact, credit):
    sample, expected = sampled[credit], exact[credit]
    # Errors of a model's weights move together: their mean square scatters around 1 widely.
    assert deviation(sample, expected) < 2.5
    # The test can tell: the other credit's gradient, or none at all, is many errors away.
    other = exact["immediate_reward" if credit == "reward_to_go" else "reward_to_go"]
    assert deviation(sample, other) > 5.0
    assert deviation(sample, 0.0 * expected) > 5.0
    similarity = sample.mean(0) @ expected / np.linalg.norm(sample.mean(0))
    assert similarity / np.linalg.norm(expected) > 0.97


def test_baselines_keep_the_expectation_and_lower_the_variance(sampled, exact):
    names = ("reward_to_go", "group alone", "no baseline")
    _, group, none = (sampled[name].var(axis=0).sum() for name in names)
    for name in names:
        assert deviation(sampled[name], exact["reward_to_go"]) < 2.5
    assert group < 0.6 * none
