"""Mixtures of normal and of truncated normal distributions, as pure functions of tensors.

    normal mixture      sum_k w_k N(u; m_k, s_k)                                 on the real line
    truncated mixture   sum_k w_k N(u; m_k, s_k) / Z_k  for 0 <= u <= 1         on the unit interval
                        Z_k = Phi((1 - m_k) / s_k) - Phi(-m_k / s_k),  0 < m_k < 1

Because every mean of a truncated component lies inside the interval, Z_k is half the sum of two
non-negative error functions: exact in float32 for any spread, with no difference of tails.
All parameters have shape [..., K]; values have shape [...].
"""

from __future__ import annotations

import math
from typing import NamedTuple

import tensorflow as tf

_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
_BISECTIONS = 30
#: Of the entropy's sums: standard deviations to either side, and places.
_REACH, _PLACES = 8.0, 256
MIN_SCALE = 2e-4


class Mixture(NamedTuple):
    """log weights, means and standard deviations, each [..., K]; truncated to [0, 1] or not."""

    log_weight: tf.Tensor
    loc: tf.Tensor
    scale: tf.Tensor
    truncated: bool


def from_raw(raw, components: int, truncated: bool) -> Mixture:
    """Head outputs [..., 3 K] as a mixture; the spread goes through a softplus."""
    logits, loc, scale = tf.split(tf.cast(raw, tf.float32), [components] * 3, axis=-1)
    return Mixture(
        tf.nn.log_softmax(logits),
        tf.sigmoid(loc) if truncated else loc,
        tf.nn.softplus(scale) + MIN_SCALE,
        truncated,
    )


def on_the_interval(raw, components: int, center, width) -> tf.Tensor:
    """Head outputs [..., 3 K] that speak in units of a frame, as those of a mixture
    truncated to the unit interval.

    A component of raw location m and raw spread s stands, for small widths, at center + width m
    with spread width softplus(s); its mean stays inside (0, 1).

    Args:
        center, width: [..., 1], of the unit interval.
    """
    logits, loc, scale = tf.split(tf.cast(raw, tf.float32), [components] * 3, axis=-1)
    center = tf.clip_by_value(center, 2e-3, 1.0 - 2e-3)
    odds = tf.math.log(center) - tf.math.log1p(-center)
    # d logit(u) / du = 1 / (u (1 - u)): a step of the width at the centre.
    loc = odds + loc * tf.minimum(width / (center * (1.0 - center)), 2.0)
    scale = tf.maximum(2.0 * width * tf.nn.softplus(scale), MIN_SCALE)
    return tf.concat([logits, loc, _inverse_softplus(scale)], axis=-1)


def on_the_line(raw, components: int, center, width) -> tf.Tensor:
    """Head outputs [..., 3 K] that speak in units of a frame, as those of a mixture on the line: a
    component of raw location m and raw spread s stands at center + width m, with spread
    width softplus(s).

    Args:
        center, width: [..., 1].
    """
    logits, loc, scale = tf.split(tf.cast(raw, tf.float32), [components] * 3, axis=-1)
    scale = tf.maximum(width * tf.nn.softplus(scale), MIN_SCALE)
    return tf.concat([logits, center + width * loc, _inverse_softplus(scale)], axis=-1)


def _inverse_softplus(x):
    # log(exp(x) - 1), without overflow.
    return x + tf.math.log(-tf.math.expm1(-x))


def raw_bias(components: int, truncated: bool) -> list[float]:
    """A bias for the head's 3 K outputs: components spread over the prior's range."""
    grid = [(k + 0.5) / components for k in range(components)]
    if truncated:
        loc = [math.log(g / (1 - g)) for g in grid]
        scale = math.log(math.expm1(0.25))
    else:
        loc = [3.0 * g - 1.5 for g in grid]
        scale = math.log(math.expm1(0.7))
    return [0.0] * components + loc + [scale] * components


def _erf_mass(mixture: Mixture):
    """Phi((1 - m)/s) - 1/2 and Phi(m/s) - 1/2, each doubled: non-negative for 0 < m < 1."""
    wide = mixture.scale * math.sqrt(2.0)
    return tf.math.erf((1.0 - mixture.loc) / wide), tf.math.erf(mixture.loc / wide)


def component_log_prob(mixture: Mixture, value) -> tf.Tensor:
    """Log density of every component at `value` [...]: [..., K], without the weights."""
    z = (value[..., None] - mixture.loc) / mixture.scale
    component = -0.5 * tf.square(z) - tf.math.log(mixture.scale) - _LOG_SQRT_2PI
    if mixture.truncated:
        above, below = _erf_mass(mixture)
        component -= tf.math.log(0.5 * (above + below))
    return component


def log_prob(mixture: Mixture, value) -> tf.Tensor:
    """Log density at `value` [...], broadcast against the mixture's leading shape."""
    component = component_log_prob(mixture, value)
    return tf.reduce_logsumexp(mixture.log_weight + component, axis=-1)


def cdf(mixture: Mixture, value) -> tf.Tensor:
    """P(u <= value)."""
    wide = mixture.scale * math.sqrt(2.0)
    inside = tf.math.erf((value[..., None] - mixture.loc) / wide)
    if mixture.truncated:
        above, below = _erf_mass(mixture)
        component = tf.clip_by_value((inside + below) / (above + below), 0.0, 1.0)
    else:
        component = 0.5 * (1.0 + inside)
    return tf.reduce_sum(tf.exp(mixture.log_weight) * component, axis=-1)


def mean_variance(mixture: Mixture) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance, in closed form; of a truncated one by way of float64, because wide
    components are differences of nearly equal numbers."""
    dtype = mixture.loc.dtype
    if mixture.truncated:
        mixture = Mixture(*(tf.cast(part, tf.float64) for part in mixture[:3]), True)
    loc, scale = mixture.loc, mixture.scale
    mean, variance = loc, tf.square(scale)
    if mixture.truncated:
        above, below = _erf_mass(mixture)
        mass = 0.5 * (above + below)
        low, high = -loc / scale, (1.0 - loc) / scale
        density_low = tf.exp(-0.5 * tf.square(low) - _LOG_SQRT_2PI) / mass
        density_high = tf.exp(-0.5 * tf.square(high) - _LOG_SQRT_2PI) / mass
        shift = density_low - density_high
        # x * density(x) tends to 0 in both tails; low <= 0 <= high, so no overflow to guard.
        mean = loc + scale * shift
        variance *= 1.0 + low * density_low - high * density_high - tf.square(shift)
        # Nothing truncated to [0, 1] exceeds these bounds.
        mean = tf.clip_by_value(mean, 0.0, 1.0)
        variance = tf.clip_by_value(variance, 0.0, 0.25)
    weight = tf.exp(mixture.log_weight)
    total = tf.reduce_sum(weight * mean, axis=-1)
    spread = variance + tf.square(mean - total[..., None])
    return tf.cast(total, dtype), tf.cast(tf.reduce_sum(weight * spread, axis=-1), dtype)


def quantiles(distribution, bounds, levels) -> tf.Tensor:
    """Smallest values whose cdf reaches the levels, by bisection between two bounds.

    Args:
        distribution: function value [Q, ...] -> cdf [Q, ...].
        bounds: (low, high) tensors [...] that enclose the quantiles.
        levels: Q numbers.

    Returns:
        [..., Q].
    """
    rank = bounds[0].shape.rank
    level = tf.reshape(tf.constant(levels, tf.float32), [-1] + [1] * rank)
    zero = tf.zeros_like(level)

    def halve(low, high):
        middle = 0.5 * (low + high)
        reached = distribution(middle) >= level
        return tf.where(reached, low, middle), tf.where(reached, middle, high)

    _, high = tf.while_loop(
        lambda low, high: True,
        halve,
        (bounds[0] + zero, bounds[1] + zero),
        maximum_iterations=_BISECTIONS,
    )
    return tf.transpose(high, [*range(1, rank + 1), 0])


def bounds(mixture: Mixture) -> tuple[tf.Tensor, tf.Tensor]:
    """Bounds [...] that enclose practically all mass: the unit interval, or eight spreads."""
    if mixture.truncated:
        zero = tf.zeros_like(mixture.loc[..., 0])
        return zero, zero + 1.0
    low = tf.reduce_min(mixture.loc - 8.0 * mixture.scale, axis=-1)
    return low, tf.reduce_max(mixture.loc + 8.0 * mixture.scale, axis=-1)


def from_uniform(mixture: Mixture, pick, position) -> tf.Tensor:
    """A draw from two uniforms [...]: `pick` chooses the component, `position` its quantile."""
    edges = tf.cumsum(tf.exp(mixture.log_weight), axis=-1)
    index = tf.reduce_sum(tf.cast(edges[..., :-1] < pick[..., None], tf.int32), axis=-1)
    chosen = tf.one_hot(index, tf.shape(edges)[-1])
    loc = tf.reduce_sum(mixture.loc * chosen, axis=-1)
    scale = tf.reduce_sum(mixture.scale * chosen, axis=-1)
    if not mixture.truncated:
        return loc + scale * tf.math.ndtri(position)
    lower = _ndtr(-loc / scale)
    upper = _ndtr((1.0 - loc) / scale)
    level = tf.clip_by_value(lower + position * (upper - lower), 1e-7, 1.0 - 1e-7)
    return tf.clip_by_value(loc + scale * tf.math.ndtri(level), 0.0, 1.0)


def entropy(mixture: Mixture) -> tf.Tensor:
    """Differential entropy in nats: [...].

    Each component's expectation of -log density is a sum over evenly spaced places within eight of
    its standard deviations and the interval, where the integrand is smooth.
    """
    low, high = -_REACH + 0.0 * mixture.loc, _REACH + 0.0 * mixture.loc
    if mixture.truncated:
        low = tf.maximum(low, -mixture.loc / mixture.scale)
        high = tf.minimum(high, (1.0 - mixture.loc) / mixture.scale)
    share = (tf.range(_PLACES, dtype=tf.float32) + 0.5) / _PLACES
    share = tf.reshape(share, [-1] + [1] * mixture.loc.shape.rank)
    z = low + (high - low) * share
    weight = tf.nn.softmax(-0.5 * tf.square(z), axis=0)
    value = mixture.loc + mixture.scale * z
    # Of the whole mixture, at places of one component each: [places, ..., K].
    density = log_prob(
        Mixture(*(part[..., None, :] for part in mixture[:3]), mixture.truncated), value
    )
    each = -tf.reduce_sum(weight * density, axis=0)
    return tf.reduce_sum(tf.exp(mixture.log_weight) * each, axis=-1)


def _ndtr(x):
    return 0.5 * (1.0 + tf.math.erf(x / math.sqrt(2.0)))
