"""Kernels against scikit-learn's, whitening against dense algebra."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.acquisition.baselines.gp_regression import unit_kernel
from aline_tf.models.covariance import (
    KIND_FACTORS,
    KINDS,
    kernels,
    squared_gaps,
    weighted_kernels,
    whitening,
    whitening_by_blocks,
)


def points(seed, *shape):
    return np.random.default_rng(seed).uniform(-1.0, 1.0, shape)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_kernels_are_those_of_their_names(dims):
    first, second = points(0, 2, 7, dims), points(1, 2, 4, dims)
    # A design measured twice.
    second[:, 0] = first[:, 0]
    square = tf.reduce_sum(squared_gaps(tf.constant(first), tf.constant(second)), axis=1)
    each = kernels(*(factor * square for factor in KIND_FACTORS))
    weight = np.array([[0.5, 0.2, 0.3], [0.0, 0.9, 0.1]])
    parts = weighted_kernels(tf.constant(first), tf.constant(second), tf.constant(weight))
    for row in range(2):
        for k, kind in enumerate(KINDS):
            exact = unit_kernel(kind, np.ones(dims))(first[row], second[row])
            np.testing.assert_allclose(each[k][row], exact, atol=1e-11)
            np.testing.assert_allclose(parts[k][row], weight[row, k] * exact, atol=1e-11)


def test_coinciding_points_have_a_gradient():
    here = tf.Variable(points(2, 1, 3, 2))
    with tf.GradientTape() as tape:
        square = tf.reduce_sum(squared_gaps(here, here), axis=1)
        total = tf.add_n(kernels(*(factor * square for factor in KIND_FACTORS)))
        total += tf.add_n(weighted_kernels(here, here, tf.constant([[0.3, 0.3, 0.4]], tf.float64)))
    assert np.isfinite(tape.gradient(total, here)).all()


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 50])
def test_whitening_takes_a_covariance_out_in_one_program_too(size):
    root = points(3, 2, 3, size, size)
    covariance = root @ np.swapaxes(root, -1, -2) + 1e-3 * np.eye(size)
    columns = points(4, 2, 3, size, 5)
    factor = np.linalg.cholesky(covariance)
    found = [whitening(tf.constant(covariance))]
    with whitening_by_blocks():
        found.append(whitening(tf.constant(covariance)))
    assert [each.is_inverse for each in found] == [False, True]
    for each in found:
        white = each.white(tf.constant(columns))
        np.testing.assert_allclose(factor @ white.numpy(), columns, atol=1e-9)
        expected = 0.5 * np.linalg.slogdet(covariance)[1]
        np.testing.assert_allclose(each.half_log_det(), expected, atol=1e-9)


def test_what_comes_after_a_failure_whitens_as_ever():
    with pytest.raises(RuntimeError), whitening_by_blocks():
        raise RuntimeError
    assert not whitening(tf.eye(2)).is_inverse
