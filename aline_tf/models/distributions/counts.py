"""A mixture of negative binomials: counts 0, 1, 2, ..., as pure functions of tensors.

    y ~ sum_k w_k NB(m_k, a_k)      mean m_k,  variance m_k + a_k m_k^2
    NB(m, a): y | g ~ Poisson(m g),  g ~ Gamma(shape 1/a, rate 1/a)

One component is a Poisson distribution where a_k is nearly 0 and has a long tail where it is large;
several of them reach further. Mass, cdf, mean and variance are exact: nothing is rounded from a
density and nothing is cut off.

The mass comes from the saddle point form, in which no two large numbers are subtracted
(Loader, "Fast and accurate computation of binomial probabilities", 2000); the cdf is an incomplete
beta function, in float64, because its continued fraction fails in float32 for counts of millions.
All parameters have shape [..., K]; values have shape [...].
"""

from __future__ import annotations

import math
from typing import NamedTuple

import tensorflow as tf

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
_BISECTIONS = 40
#: log of a mean, relative to the channel's own size, and dispersions stay within these.
_MOST_LOG = 14.0
_DISPERSION = (1e-6, 1e3)
#: By Cantelli's inequality a component has less than 1 / (1 + 40^2) above so many spreads.
_SPREADS = 40.0
#: Entropy: every count below the first is summed; beyond, so many points for each component.
_SUMMED, _GRID = 64, 48


class CountMixture(NamedTuple):
    """log weights, means and dispersions (variance = mean + dispersion mean^2), each [..., K]."""

    log_weight: tf.Tensor
    mean: tf.Tensor
    dispersion: tf.Tensor


def from_raw(raw, components: int, size) -> CountMixture:
    """Head outputs [..., 3 K] as a mixture of counts whose usual size is `size` [...]."""
    logits, mean, spread = tf.split(tf.cast(raw, tf.float32), [components] * 3, axis=-1)
    log_mean = tf.math.log(size)[..., None] + tf.clip_by_value(mean, -_MOST_LOG, _MOST_LOG)
    return CountMixture(
        tf.nn.log_softmax(logits),
        tf.exp(log_mean),
        tf.clip_by_value(tf.square(tf.nn.softplus(spread)), *_DISPERSION),
    )


def log_prob(mixture: CountMixture, value) -> tf.Tensor:
    """Log probability of `value` [...], rounded to a whole number; below 0 it is that of 0."""
    value = tf.convert_to_tensor(value)
    if 0 in tuple(value.shape):
        # TensorFlow 2.21 divides by zero where it rewrites products with an empty constant.
        return tf.zeros_like(value)
    count = tf.maximum(tf.round(value), 0.0)[..., None]
    return tf.reduce_logsumexp(mixture.log_weight + _log_mass(mixture, count), axis=-1)


def _log_mass(mixture, count):
    """log NB(count; m, a) of every component.

    With r = 1/a and n = r + y:  NB = sqrt(r / (2 pi y n)) exp(s(n) - s(r) - s(y) - D(r) - D(y)),
    where s is the error of Stirling's formula and D(x) = x log(x / E) + E - x, the deviance from
    the expected E; and NB(0) = (1 + a m)^-r.
    """
    m, a = mixture.mean, mixture.dispersion
    none = -tf.math.log1p(a * m) / a
    y = tf.maximum(count, 1.0)
    r = 1.0 / a
    n = r + y
    of_r = _deviance(n / (1.0 + a * m), (m - y) / n, (r + m) / n)
    share = a * m / (1.0 + a * m)
    of_y = _deviance(
        n * share, (y - m) / (m * (1.0 + a * y)), y * (1.0 + a * m) / (m * (1.0 + a * y))
    )
    some = _stirling_error(n) - _stirling_error(r) - _stirling_error(y) - of_r - of_y
    some += 0.5 * (tf.math.log(r / n) - tf.math.log(y)) - _HALF_LOG_2PI
    return tf.where(count < 0.5, none, some)


def _deviance(expected, excess, ratio):
    """E ((1 + e) log(1 + e) - e), where 1 + e = `ratio` is told as well as e = `excess`."""
    near = tf.abs(excess) < 0.1
    e = tf.where(near, excess, 0.0)
    # sum over k >= 2 of (-e)^k / (k (k - 1))
    series = [1 / 2, -1 / 6, 1 / 12, -1 / 20, 1 / 30, -1 / 42, 1 / 56]
    small = e * e * tf.math.polyval([tf.constant(c, tf.float32) for c in series[::-1]], e)
    ratio = tf.where(near, 2.0, tf.maximum(ratio, 1e-30))
    large = ratio * tf.math.log(ratio) - tf.where(near, 1.0, excess)
    return expected * tf.where(near, small, large)


def _stirling_error(x):
    """log Gamma(x + 1) - ((x + 1/2) log x - x + log(2 pi) / 2), for x > 0."""
    far = x > 10.0
    big = 1.0 / tf.where(far, x, 10.0)
    square = big * big
    asymptotic = big * (1 / 12 - square * (1 / 360 - square * (1 / 1260)))
    small = tf.where(far, 1.0, x)
    exact = tf.math.lgamma(small + 1.0) - (small + 0.5) * tf.math.log(small) + small
    return tf.where(far, asymptotic, exact - _HALF_LOG_2PI)


def cdf(mixture: CountMixture, value) -> tf.Tensor:
    """P(y <= value); not differentiable."""
    count = tf.cast(tf.floor(value)[..., None], tf.float64)
    m, a = (tf.cast(part, tf.float64) for part in (mixture.mean, mixture.dispersion))
    r, success = 1.0 / a, 1.0 / (1.0 + a * m)
    # betainc takes arrays of one shape.
    count, r, success = count + 0.0 * r, r + 0.0 * count, success + 0.0 * count
    below = tf.math.betainc(r, tf.maximum(count, 0.0) + 1.0, success)
    below = tf.where(count >= 0.0, tf.cast(tf.clip_by_value(below, 0.0, 1.0), tf.float32), 0.0)
    return tf.stop_gradient(tf.reduce_sum(tf.exp(mixture.log_weight) * below, axis=-1))


def mean_variance(mixture: CountMixture) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance, in closed form."""
    weight = tf.exp(mixture.log_weight)
    total = tf.reduce_sum(weight * mixture.mean, axis=-1)
    variance = mixture.mean + mixture.dispersion * tf.square(mixture.mean)
    variance += tf.square(mixture.mean - total[..., None])
    return total, tf.reduce_sum(weight * variance, axis=-1)


def upper_bound(mixture: CountMixture) -> tf.Tensor:
    """A count [...] with less than 0.1% of the mass above it."""
    sd = tf.sqrt(mixture.mean + mixture.dispersion * tf.square(mixture.mean))
    return tf.reduce_max(tf.math.ceil(mixture.mean + _SPREADS * sd), axis=-1)


def quantile(mixture: CountMixture, level) -> tf.Tensor:
    """The smallest count whose cdf reaches `level` [...], which broadcasts against the mixture.

    Levels above 0.999 give at most `upper_bound`.
    """
    level = tf.minimum(level, 0.999)
    zero = tf.zeros_like(level + mixture.mean[..., 0])

    def halve(low, high):
        middle = tf.floor(0.5 * (low + high))
        reached = cdf(mixture, middle) >= level
        return tf.where(reached, low, middle), tf.where(reached, middle, high)

    # Whole numbers: low never reaches the level, high always does.
    _, high = tf.while_loop(
        lambda low, high: tf.reduce_any(high - low > 1.0),
        halve,
        (zero - 1.0, zero + upper_bound(mixture)),
        maximum_iterations=_BISECTIONS,
    )
    return tf.stop_gradient(high)


def quantiles(mixture: CountMixture, levels) -> tf.Tensor:
    """Quantiles at Q levels: [..., Q]."""
    rank = mixture.mean.shape.rank - 1
    level = tf.reshape(tf.constant(levels, tf.float32), [-1] + [1] * rank)
    return tf.transpose(quantile(mixture, level), [*range(1, rank + 1), 0])


def entropy(mixture: CountMixture) -> tf.Tensor:
    """Entropy in nats: the sum itself where counts are small, beyond them a trapezium rule on steps
    that grow with the count and are fine where a component has its mass (within a percent)."""
    top = tf.maximum(upper_bound(mixture), _SUMMED + 1.0)[..., None]
    step = tf.linspace(0.0, 1.0, _GRID)
    everywhere = _SUMMED * tf.exp(step * tf.math.log(top / _SUMMED))
    sd = tf.sqrt(mixture.mean + mixture.dispersion * tf.square(mixture.mean))
    spreads = 2.0 * tf.sinh(tf.linspace(-2.0, math.asinh(_SPREADS / 2.0), _GRID))
    near = mixture.mean[..., None] + sd[..., None] * spreads
    near = tf.reshape(near, tf.concat([tf.shape(near)[:-2], [-1]], 0))
    grid = tf.sort(tf.clip_by_value(tf.concat([everywhere, near], -1), _SUMMED, top), axis=-1)
    width = grid[..., 1:] - grid[..., :-1]
    one = tf.ones_like(top)
    # Half of the first and the last term stand outside the trapezia.
    weight = 0.5 * (tf.concat([one, width], -1) + tf.concat([width, one], -1))
    small = tf.range(_SUMMED, dtype=tf.float32) + 0.0 * top
    count = tf.concat([small, grid], -1)
    each = CountMixture(*(part[..., None, :] for part in mixture))
    log_mass = tf.reduce_logsumexp(each.log_weight + _log_mass(each, count[..., None]), axis=-1)
    weight = tf.concat([tf.ones_like(small), weight], -1)
    return -tf.reduce_sum(weight * tf.exp(log_mass) * log_mass, axis=-1)


def distribution(mixture: CountMixture):
    """The mixture as a tensorflow_probability distribution of batch shape [...]."""
    import tensorflow_probability as tfp

    tfd = tfp.distributions
    return tfd.MixtureSameFamily(
        tfd.Categorical(logits=mixture.log_weight),
        tfd.NegativeBinomial(
            total_count=1.0 / mixture.dispersion,
            logits=tf.math.log(mixture.dispersion * mixture.mean),
        ),
    )
