"""Location finding: sources of a signal that decays with distance, heard at chosen places.

    theta_k ~ U([0, 1]^d),  k = 1..K
    log y | x, theta ~ N(log mu(x, theta), .5^2)
    mu(x, theta) = b + sum_k 1 / (m + ||theta_k - x||^2),   b = .1, m = 1e-4

The outcome field is log y. The likelihood does not know the order of the sources, so theta lists
them by their first coordinate: one ordering stands for all K! of them.

Source: ALINE (arXiv 2506.07259), location finding, which has one source in the unit square.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.task import ColumnLikelihood, Task

BACKGROUND = 0.1
CLOSEST = 1e-4
NOISE = 0.5
HORIZON = 30
_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)


def log_intensity(theta, design) -> tf.Tensor:
    """log mu for theta [..., K, d] and design [..., d], leading dimensions broadcast: [...]."""
    square = tf.reduce_sum(tf.square(theta - design[..., None, :]), axis=-1)
    return tf.math.log(BACKGROUND + tf.reduce_sum(1.0 / (CLOSEST + square), axis=-1))


def outcome_moments(sources: int, dims: int, draws_each: int = 200_000) -> tuple[float, float]:
    """Mean and standard deviation of log y under the prior and uniform designs, by simulation;
    equal arguments give equal numbers."""
    rng = np.random.default_rng(0)
    theta, design = rng.random((draws_each, sources, dims)), rng.random((draws_each, 1, dims))
    square = np.square(theta - design).sum(-1)
    log_mu = np.log(BACKGROUND + (1.0 / (CLOSEST + square)).sum(-1))
    return round(float(log_mu.mean()), 3), round(math.hypot(log_mu.std(), NOISE), 3)


class LocationFinding(Task):
    """The task above.

    Args:
        sources: K.
        dims: d, of the space that sources and designs live in.

    Parameters are named source1_x1, source1_x2, source2_x1, ...; theta is [..., K * d].

    Raises:
        ValueError: `sources` or `dims` below 1.

    Example:
        >>> from aline_tf.tasks import LocationFinding
        >>> LocationFinding(sources=2, dims=1).spec.parameter_names
        ('source1_x1', 'source2_x1')
    """

    def __init__(self, sources: int = 1, dims: int = 2):
        if sources < 1 or dims < 1:
            raise ValueError(
                f"Expected sources >= 1 and dims >= 1. Received: sources={sources}, dims={dims}"
            )
        self.sources = sources
        self.dims = dims
        loc, scale = outcome_moments(sources, dims)
        outcome = Channel("log_signal", loc=loc, scale=scale, description="log of the signal heard")
        self.spec = TaskSpec(
            name="location_finding",
            design_names=tuple(f"x{j + 1}" for j in range(dims)),
            design_low=(0.0,) * dims,
            design_high=(1.0,) * dims,
            fields=(outcome,),
            outcomes=(outcome,),
            parameters=tuple(
                Parameter(
                    f"source{k + 1}_x{j + 1}",
                    axis=j,
                    description=f"coordinate {j + 1} of source {k + 1}, in order of coordinate 1",
                )
                for k in range(sources)
                for j in range(dims)
            ),
            horizon=HORIZON,
        )

    def _places(self, theta):
        """theta [..., K * d] as [..., K, d]."""
        shape = tf.concat([tf.shape(theta)[:-1], [self.sources, self.dims]], axis=0)
        return tf.reshape(theta, shape)

    def sample_theta(self, seed, batch):
        places = draws.uniform(seed, [batch, self.sources, self.dims])
        if self.sources > 1:
            order = tf.argsort(places[..., 0], axis=1)
            places = tf.gather(places, order, batch_dims=1)
        return tf.reshape(places, [batch, self.sources * self.dims])

    def sample_designs(self, seed, batch, count):
        return draws.uniform(seed, [batch, count, self.dims])

    def simulate(self, theta, design, seed):
        mean = log_intensity(self._places(theta)[:, None], design)
        return (mean + draws.normal(seed, tf.shape(mean), 0.0, NOISE))[..., None]

    def normal_outcome(self, theta, design):
        """Mean and standard deviation of log y: both [...] for theta [..., P], design [..., d]."""
        return log_intensity(self._places(theta), design), tf.constant(NOISE)

    def log_likelihood(self, theta, design, outcome):
        """Log density of log y: [...], leading dimensions broadcast.

        Args:
            theta: [..., P], the sources in order.
            design: [..., d], in [0, 1].
            outcome: [..., 1], log y.
        """
        z = (outcome[..., 0] - log_intensity(self._places(theta), design)) / NOISE
        return -0.5 * tf.square(z) - math.log(NOISE) - _LOG_SQRT_2PI

    def column_likelihood(self):
        """`log_likelihood` over columns of parameters."""

        def of_columns(columns, numbers):
            *place, observed = tf.unstack(numbers)
            intensity = BACKGROUND
            for k in range(self.sources):
                square = CLOSEST
                for j in range(self.dims):
                    square += tf.square(columns[k * self.dims + j] - place[j])
                intensity += 1.0 / square
            z = (observed - tf.math.log(intensity)) / NOISE
            return -0.5 * tf.square(z) - math.log(NOISE) - _LOG_SQRT_2PI

        return ColumnLikelihood(
            lambda design, outcome: tf.concat([design, outcome], -1), of_columns
        )

    def log_prior(self, theta):
        """log K! on the unit cube's ordered part, minus infinity elsewhere: [...]."""
        inside = tf.reduce_all((theta >= 0.0) & (theta <= 1.0), axis=-1)
        first = self._places(theta)[..., 0]
        ordered = tf.reduce_all(first[..., 1:] >= first[..., :-1], axis=-1)
        log_density = tf.constant(math.log(math.factorial(self.sources)), tf.float32)
        return tf.where(inside & ordered, log_density, -math.inf)
