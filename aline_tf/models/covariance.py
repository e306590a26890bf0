"""Covariances of Gaussian processes, many and small: their kernels, and what whitens outcomes.

    k(r) = exp(-r^2 / 2)                                   rbf
           (1 + a) exp(-a)               a = sqrt(3) r     matern32
           (1 + a + a^2 / 3) exp(-a)     a = sqrt(5) r     matern52
    K = L L',   white = L^-1 y,   log |K| = 2 sum log diag L

On one example at a time passes over the numbers are what costs, and none is made here that can be
spared. XLA on a CPU factorises and solves column by column, each of which reads all of a matrix;
inside `whitening_by_blocks` L^-1 is found row by row in blocks that are small, as in

    l = L^-1 k_n,   d^2 = K_nn - l'l,   row n of L^-1 = (-l' L^-1, 1) / d

and columns are whitened by a product.
"""

from __future__ import annotations

import contextlib
import contextvars
import math
from typing import NamedTuple

import tensorflow as tf

KINDS = ("rbf", "matern32", "matern52")
#: What `kernels` wants r^2 to be multiplied by, for each kind.
KIND_FACTORS = (-0.5, 3.0, 5.0)
_TINY = 1e-12
_BLOCK = 16
_BY_BLOCKS = contextvars.ContextVar("by_blocks", default=False)


def squared_gaps(first, second) -> tf.Tensor:
    """Squared differences of positions [B, S, D] and [B, Q, D], by dimension: [B, D, S, Q]."""
    first, second = (tf.transpose(position, [0, 2, 1]) for position in (first, second))
    return tf.math.squared_difference(first[:, :, :, None], second[:, :, None])


def kernels(rbf, matern32, matern52) -> list:
    """The kernel of each of `KINDS`, of unit variance.

    Args:
        rbf, matern32, matern52: r^2 times the `KIND_FACTORS`, of any shape.
    """
    third, fifth = tf.sqrt(matern32 + _TINY), tf.sqrt(matern52 + _TINY)
    return [
        tf.exp(rbf),
        (1.0 + third) * tf.exp(-third),
        (1.0 + fifth + matern52 / 3.0) * tf.exp(-fifth),
    ]


def weighted_kernels(first, second, weight) -> list:
    """The kernels of `KINDS` of unit variance and lengthscale at one distance, times their weights.

    Args:
        first, second: positions [B, S, D] and [B, Q, D].
        weight: [B, 3].

    Returns:
        three [B, S, Q], to be added up.
    """
    first, second = (tf.unstack(position, axis=2) for position in (first, second))
    pairs = zip(first, second, strict=True)
    square = tf.add_n([tf.math.squared_difference(x[:, :, None], y[:, None]) for x, y in pairs])
    rbf, matern32, matern52 = (each[:, None, None] for each in tf.unstack(weight, axis=1))
    root = tf.sqrt(square + _TINY)
    third, fifth = -math.sqrt(3.0) * root, -math.sqrt(5.0) * root
    return [
        rbf * tf.exp(-0.5 * square),
        (matern32 - matern32 * third) * tf.exp(third),
        (matern52 + (matern52 / 3.0 * fifth - matern52) * fifth) * tf.exp(fifth),
    ]


class Whitening(NamedTuple):
    """What takes a covariance out of columns.

    Attributes:
        root: [..., S, S], L; or its inverse.
        is_inverse: which.

    Example:
        >>> import tensorflow as tf
        >>> from aline_tf.models.covariance import whitening
        >>> whitening(tf.constant([[4.0]])).white(tf.constant([[6.0]])).numpy().tolist()
        [[3.0]]
    """

    root: tf.Tensor
    is_inverse: bool

    def white(self, columns) -> tf.Tensor:
        """L^-1 of columns [..., S, Q]."""
        if self.is_inverse:
            return tf.matmul(self.root, columns)
        return tf.linalg.triangular_solve(self.root, columns)

    def half_log_det(self) -> tf.Tensor:
        """log |K| / 2, [...]."""
        sum_of_logs = tf.reduce_sum(tf.math.log(tf.linalg.diag_part(self.root)), axis=-1)
        return -sum_of_logs if self.is_inverse else sum_of_logs


def whitening(covariance) -> Whitening:
    """The whitening of covariances K [..., S, S], symmetric and positive definite."""
    if _BY_BLOCKS.get():
        return Whitening(_inverse_factor(covariance), True)
    return Whitening(tf.linalg.cholesky(covariance), False)


@contextlib.contextmanager
def whitening_by_blocks():
    """Inside, what is traced whitens as suits a program of XLA on a CPU; S must be known then, and
    gradients are not meant to be taken."""
    token = _BY_BLOCKS.set(True)
    try:
        yield
    finally:
        _BY_BLOCKS.reset(token)


def _inverse_factor(covariance):
    """L^-1 [..., S, S], a block of rows after the other."""
    size = covariance.shape[-1]
    inverse = covariance[..., :0, :0]
    for start in range(0, size, _BLOCK):
        here = slice(start, min(start + _BLOCK, size))
        row = tf.matmul(covariance[..., here, :start], inverse, transpose_b=True)
        rest = covariance[..., here, here] - tf.matmul(row, row, transpose_b=True)
        corner = _inverse_factor_by_rows(rest)
        below = tf.concat([-tf.matmul(corner, tf.matmul(row, inverse)), corner], axis=-1)
        right = [[0, 0]] * (len(covariance.shape) - 1) + [[0, corner.shape[-1]]]
        inverse = tf.concat([tf.pad(inverse, right), below], axis=-2)
    return inverse


def _inverse_factor_by_rows(covariance):
    """L^-1 [..., S, S] of few rows."""
    size, dtype = covariance.shape[-1], covariance.dtype

    def add_row(n, inverse):
        reached = tf.linalg.matvec(inverse, covariance[..., n, :])
        variance = covariance[..., n, n] - tf.reduce_sum(tf.square(reached), axis=-1)
        here = tf.one_hot(n, size, dtype=dtype)
        row = here - tf.linalg.matvec(inverse, reached, transpose_a=True)
        row *= tf.math.rsqrt(variance)[..., None]
        return n + 1, inverse + here[:, None] * row[..., None, :]

    _, inverse = tf.while_loop(
        lambda n, inverse: n < size,
        add_row,
        (tf.constant(0), tf.zeros_like(covariance)),
        maximum_iterations=size,
    )
    return inverse
