"""A task whose posterior and information gains are known in closed form."""

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.task import Task


class Linear(Task):
    """theta ~ N(0, I_2), y ~ N(x . theta, NOISE^2): posterior covariance (I + X'X / s^2)^-1."""

    NOISE = 0.4
    spec = TaskSpec(
        name="linear",
        design_names=("x1", "x2"),
        design_low=(-1.0,) * 2,
        design_high=(1.0,) * 2,
        fields=(Channel("y"),),
        outcomes=(Channel("y"),),
        parameters=(Parameter("theta1", "real"), Parameter("theta2", "real")),
        horizon=4,
    )

    def sample_theta(self, seed, batch):
        return draws.normal(seed, [batch, 2])

    def sample_designs(self, seed, batch, count):
        return draws.uniform(seed, [batch, count, 2], -1.0, 1.0)

    def simulate(self, theta, design, seed):
        mean = tf.reduce_sum(theta[:, None] * design, axis=-1, keepdims=True)
        return mean + draws.normal(seed, tf.shape(mean), 0.0, self.NOISE)

    def log_likelihood(self, theta, design, outcome):
        z = (outcome[..., 0] - tf.reduce_sum(theta * design, axis=-1)) / self.NOISE
        return -0.5 * tf.square(z) - np.log(self.NOISE) - 0.5 * np.log(2 * np.pi)

    def log_prior(self, theta):
        return -0.5 * tf.reduce_sum(tf.square(theta), axis=-1) - np.log(2 * np.pi)


class LinearWithMoments(Linear):
    """The same, with the moments of its normal outcome."""

    def normal_outcome(self, theta, design):
        return tf.reduce_sum(theta * design, axis=-1), tf.constant(self.NOISE)


def posterior_moments(design, outcome, noise=Linear.NOISE):
    """Mean [2] and covariance [2, 2] after designs [T, 2] and outcomes [T]."""
    covariance = np.linalg.inv(np.eye(2) + design.T @ design / noise**2)
    return covariance @ design.T @ outcome / noise**2, covariance


def exact_gain(covariance, candidates, noise=Linear.NOISE):
    """About both parameters, of candidates [N, 2]: 1/2 log(1 + x' V x / s^2)."""
    return 0.5 * np.log1p(np.einsum("nd,de,ne->n", candidates, covariance, candidates) / noise**2)


def linear_state(task, rows, seen, candidates, seed=3, selected=(True, True)):
    """States of `rows` histories of `seen` random outcomes, with room for one more."""
    episode = task.sample_episodes(draws.as_seed(seed), rows, seen + candidates)
    state = dict(episode)
    for name in ("design", "outcome", "status"):
        whole = episode[f"candidate_{name}"]
        padding = tf.zeros_like(whole[:, :1])
        state[f"context_{name}"] = tf.concat([whole[:, :seen], padding], axis=1)
        state[f"candidate_{name}"] = whole[:, seen:]
    for name in ("candidate_mask", "candidate_cost"):
        state[name] = episode[name][:, seen:]
    state["context_mask"] = tf.repeat(tf.constant([[True] * seen + [False]]), rows, axis=0)
    state["theta_mask"] = tf.repeat(tf.constant([selected]), rows, axis=0)
    return state


def normal_posterior(task, rows, loc=0.0, sd=1.0):
    """q with one component for each parameter, at `loc` with spread `sd` of the prior's."""
    from aline_tf.models.distributions.theta_posterior import ThetaPosterior

    spread = np.log(np.expm1(sd))
    raw = np.tile(np.array([0.0, loc, spread, 0.0], np.float32), (rows, 2, 1))
    return ThetaPosterior(task.spec.parameters, tf.constant(raw), 1)
