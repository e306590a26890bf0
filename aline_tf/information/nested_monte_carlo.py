"""Expected information gains of designs from equally weighted parameter draws.

With draws theta_i, i = 1..I, of the posterior,

    gain(x) = 1/I sum_i E_{y ~ p_i} [ log p_i(y) - log 1/I sum_j p_j(y) ],   p_i = p(. | x, theta_i)

which never exceeds log I. A binary outcome is enumerated; for an outcome that is normal, censored
or not, the expectation takes one quantile of each draw's own noise, all different and the same at
every design, so that designs are compared with equal luck; any other outcome is simulated once for
each draw.

Sizes: R histories, I draws, N candidates, P, D and F of the task.
"""

from __future__ import annotations

import math

import tensorflow as tf

from aline_tf import draws

#: Above this no exponential in float32 is taken.
_LARGEST_EXPONENT = 80.0


def binary_entropy(p) -> tf.Tensor:
    """In nats, of probabilities of any shape."""
    p = tf.clip_by_value(p, 1e-6, 1.0 - 1e-6)
    return -(p * tf.math.log(p) + (1.0 - p) * tf.math.log1p(-p))


def candidate_gain(task, theta, design, seed) -> tf.Tensor:
    """Expected gain about all parameters of one outcome at every candidate.

    Args:
        task: has `log_likelihood`. A task whose outcome is a normal one may also have
            `normal_outcome(theta [..., P], design [..., D]) -> (mean, sd)` and, where outcomes
            stop at two bounds, `outcome_bounds = (low, high)`: less work and less noise.
        theta: [R, I, P], equally weighted.
        design: [R, N, D].
        seed: int32 [2].

    Returns:
        [R, N], in nats, not negative.
    """
    if [field.kind for field in task.spec.fields] == ["binary"]:
        ones = tf.ones([1, 1, 1, 1])
        yes = tf.exp(task.log_likelihood(theta[:, None], design[:, :, None], ones))
        gain = binary_entropy(tf.reduce_mean(yes, 2)) - tf.reduce_mean(binary_entropy(yes), 2)
    elif getattr(task, "normal_outcome", None) is not None:
        mean, sd = task.normal_outcome(theta[:, None], design[:, :, None])
        bounds = getattr(task, "outcome_bounds", None)
        # Middles of I equal slices of probability, in an order that is every history's own.
        order = draws.subset_order(seed, [tf.shape(theta)[0], theta.shape[1]])
        level = (tf.cast(order, tf.float32) + 0.5) / float(theta.shape[1])
        gain = _normal_gain(mean, sd, level[:, None], bounds)
    else:
        gain = _simulated_gain(task, theta, design, seed)
    return tf.maximum(gain, 0.0)


def _simulated_gain(task, theta, design, seed):
    rows, count, parameters = tf.shape(theta)[0], theta.shape[1], theta.shape[2]
    candidates, dims = tf.shape(design)[1], design.shape[2]
    outcome = task.simulate(
        tf.reshape(theta, [-1, parameters]), tf.repeat(design, count, axis=0), seed
    )
    outcome = tf.reshape(outcome, [rows, count, candidates, outcome.shape[-1]])
    outcome = tf.transpose(outcome, [0, 2, 1, 3])
    design = tf.reshape(design, [rows, candidates, 1, dims])
    own = task.log_likelihood(theta[:, None], design, outcome)
    other = task.log_likelihood(theta[:, None, None], design[:, :, :, None], outcome[:, :, :, None])
    return tf.reduce_mean(_own_against_mixture(own, other), axis=2)


def _own_against_mixture(own, other):
    """log p_i(y_i) - log mean_j p_j(y_i) for own [..., I] and other [..., I, I]: [..., I].

    Each draw is among its own mixture, so the mean is at least 1 / I and no maximum is taken off.
    """
    ratio = tf.exp(tf.minimum(other - own[..., None], _LARGEST_EXPONENT))
    return -tf.math.log(tf.reduce_mean(ratio, axis=-1))


@tf.function(
    input_signature=[tf.TensorSpec([None, None, None])] * 5, jit_compile=True, autograph=False
)
def _pairs(outcome, own, mean, precision, log_sd):
    """log p_i(y_i) - log mean_j p_j(y_i) of normal outcomes [R, N, I]: [R, N, I]."""
    z = (outcome[..., None] - mean[:, :, None]) * precision[:, :, None]
    return _own_against_mixture(own, -0.5 * tf.square(z) - log_sd[:, :, None])


def _normal_gain(mean, sd, level, bounds):
    """Of outcomes N(mean, sd), each [R, N, I], censored at `bounds`; level [R, 1, I] of the
    noise: [R, N]."""
    # A common design without noise of its own gives sd without the candidates' dimension.
    sd = tf.broadcast_to(sd, tf.shape(mean))
    log_sd = tf.math.log(sd)
    if bounds is None:
        noise = tf.broadcast_to(tf.math.ndtri(level), tf.shape(mean))
        own = -0.5 * tf.square(noise) - log_sd
        return tf.reduce_mean(_pairs(mean + sd * noise, own, mean, 1.0 / sd, log_sd), axis=2)
    low, high = bounds
    at_low = _normal_cdf((low - mean) / sd)
    at_high = _normal_cdf((mean - high) / sd)
    between = tf.maximum(1.0 - at_low - at_high, 0.0)
    rank = tf.clip_by_value(at_low + level * between, 1e-7, 1.0 - 1e-7)
    outcome = tf.clip_by_value(mean + sd * tf.math.ndtri(rank), low, high)
    own = -0.5 * tf.square((outcome - mean) / sd) - log_sd
    gain = tf.reduce_mean(between * _pairs(outcome, own, mean, 1.0 / sd, log_sd), axis=2)
    for end in (at_low, at_high):
        gain += tf.reduce_mean(_x_log_x(end), axis=2) - _x_log_x(tf.reduce_mean(end, axis=2))
    return gain


def _normal_cdf(x):
    return 0.5 * tf.math.erfc(-x * math.sqrt(0.5))


def _x_log_x(x):
    return x * tf.math.log(tf.maximum(x, 1e-30))
