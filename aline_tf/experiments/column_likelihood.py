"""log p(y | x, theta) of one outcome under many parameters, in the form a processor likes.

A column is one parameter of L draws, [L]. Written on columns, a likelihood is one pass over memory
without any short axis to sum over. What depends on the design and the outcome alone is worked out
before that pass, as a few numbers, and which end of a slider an answer stands at is decided once,
not L times. The values are those of the task's own `log_likelihood`, at a tenth of the time.

Tasks without such a form go through `log_likelihood`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from aline_tf.tasks import ces, location_finding

_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
#: Amounts below this count as this much, as in `ces.basket_worth`.
_SMALLEST = 1e-6


class ColumnLikelihood(NamedTuple):
    """A likelihood in two parts, both for the inside of a `tf.function`.

    Attributes:
        numbers: (design [..., D], outcome [..., F]) -> [..., n], all that the second part reads.
        of_columns: (P columns [L], numbers [n] of one outcome) -> log p [L].
    """

    numbers: Callable
    of_columns: Callable


def column_likelihood(task) -> ColumnLikelihood:
    """The likelihood of a `Task` that has one."""
    if isinstance(task, location_finding.LocationFinding):
        return _location_finding(task.sources, task.dims)
    if isinstance(task, ces.CES):
        return ColumnLikelihood(_ces_numbers, _ces)
    dims = task.spec.sizes["D"]

    def general(columns, numbers):
        theta = tf.stack(columns, axis=-1)
        return task.log_likelihood(theta, numbers[None, :dims], numbers[None, dims:])

    return ColumnLikelihood(lambda design, outcome: tf.concat([design, outcome], -1), general)


def _location_finding(sources: int, dims: int) -> ColumnLikelihood:
    noise = location_finding.NOISE

    def of_columns(columns, numbers):
        *place, heard = tf.unstack(numbers)
        intensity = location_finding.BACKGROUND
        for k in range(sources):
            square = location_finding.CLOSEST
            for j in range(dims):
                square += tf.square(columns[k * dims + j] - place[j])
            intensity += 1.0 / square
        z = (heard - tf.math.log(intensity)) / noise
        return -0.5 * tf.square(z) - math.log(noise) - _LOG_SQRT_2PI

    return ColumnLikelihood(lambda design, outcome: tf.concat([design, outcome], -1), of_columns)


def _ces_numbers(design, outcome):
    """Six log amounts, 1 / sd, log sd, logit, at an end?, sign of the tail."""
    one, other = design[..., : ces.GOODS], design[..., ces.GOODS :]
    sd = ces.TAU * (1.0 + tf.norm(one - other, axis=-1))
    logit, at_low, at_high = tf.unstack(outcome, axis=-1)
    sign = tf.where(at_low > 0.5, 1.0, -1.0)
    others = tf.stack([1.0 / sd, tf.math.log(sd), logit, tf.maximum(at_low, at_high), sign], -1)
    return tf.concat([tf.math.log(tf.maximum(design, _SMALLEST)), others], axis=-1)


def _ces(columns, numbers):
    rho, first, second, _, log_u = columns
    *amounts, precision, log_sd, logit, at_an_end, sign = tf.unstack(numbers)
    shares = (first, second, tf.maximum(1.0 - first - second, 0.0))

    def worth(basket):
        center = sum(share * amount for share, amount in zip(shares, basket, strict=True))
        away = sum(
            share * tf.math.expm1(rho * (amount - center))
            for share, amount in zip(shares, basket, strict=True)
        )
        return tf.exp(center + tf.math.log1p(away) / rho)

    mean = worth(amounts[: ces.GOODS]) - worth(amounts[ces.GOODS :])
    z = (logit * tf.exp(-log_u) - mean) * precision
    return tf.cond(
        at_an_end > 0.5,
        lambda: ces.log_normal_cdf(sign * z),
        lambda: -0.5 * tf.square(z) - log_sd - log_u - _LOG_SQRT_2PI,
    )
