"""Processes on growing designs, against scikit-learn's kernels and dense algebra."""

import pickle

import numpy as np
import pytest

from aline_tf.acquisition.baselines.gp_regression import unit_kernel
from aline_tf.units.process_grid import ProcessGrid, lengthscale_grid, unit_covariances

LENGTHSCALES = np.array([[0.5, 2.0], [3.0, 1.0], [8.0, 8.0]])
KINDS = [(name, length) for name in ("rbf", "matern52") for length in LENGTHSCALES]
VARIANCE, NOISE = 0.55, 1e-4


def points(count, seed=0):
    return np.random.default_rng(seed).uniform(-5, 5, (count, 2))


def expected(design, outcome):
    """Log evidence, mean and square of every process, by solving with its covariance."""
    ones, found = np.ones(len(design)), []
    for name, length in KINDS:
        covariance = VARIANCE * unit_kernel(name, length)(design) + NOISE * np.eye(len(design))
        precision = ones @ np.linalg.solve(covariance, ones)
        center = ones @ np.linalg.solve(covariance, outcome) / precision
        away = outcome - center
        square = away @ np.linalg.solve(covariance, away)
        _, log_det = np.linalg.slogdet(covariance)
        evidence = -0.5 * ((len(design) - 1) * np.log(square) + np.log(precision) + log_det)
        found.append((evidence, center, square))
    return np.transpose(found)


def test_covariances_of_a_grid_are_those_of_its_kernels():
    first, second = points(7), points(4, seed=1)
    found = unit_covariances(first, second, LENGTHSCALES)
    exact = [unit_kernel(name, length)(first, second) for name, length in KINDS]
    np.testing.assert_allclose(found, exact, atol=1e-12)


def test_every_combination_of_lengthscales_is_on_the_grid():
    assert lengthscale_grid((1.0, 2.0), 2).tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]


@pytest.mark.parametrize("dims", [3, 4, 12, 200])
def test_combinations_stay_few_in_many_dimensions(dims):
    levels = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
    grid = lengthscale_grid(levels, dims)
    assert len(grid) == 216 and np.isin(grid, levels).all()
    assert all(np.unique(column).tolist() == list(levels) for column in grid.T)
    assert all((grid == level).all(1).any() for level in levels)
    np.testing.assert_array_equal(grid, lengthscale_grid(levels, dims))


@pytest.mark.parametrize("seed", range(5))
def test_histories_that_grow_shrink_and_change_are_those_of_dense_algebra(seed):
    rng = np.random.default_rng(seed)
    grid, design = ProcessGrid(LENGTHSCALES, VARIANCE, NOISE), points(40, seed)
    for count in rng.integers(2, 41, 12):
        if rng.random() < 0.3:
            # Another design at some place, perhaps one that is there already.
            design[rng.integers(count)] = design[rng.integers(40)]
        outcome = rng.standard_normal(count)
        found = grid.evidence(design[:count].copy(), outcome)
        np.testing.assert_allclose(found, expected(design[:count], outcome), rtol=1e-6)


def test_histories_too_long_to_be_kept_are_those_of_dense_algebra():
    grid, design = ProcessGrid(LENGTHSCALES, VARIANCE, NOISE), points(80)
    for count in (60, 80, 64, 65, 66):
        outcome = np.sin(design[:count]).sum(1)
        found = grid.evidence(design[:count], outcome)
        np.testing.assert_allclose(found, expected(design[:count], outcome), rtol=1e-5)


def test_a_pickle_finds_the_same():
    grid, design = ProcessGrid(LENGTHSCALES, VARIANCE, NOISE), points(9)
    outcome = np.cos(design).sum(1)
    found = grid.evidence(design, outcome)
    again = pickle.loads(pickle.dumps(grid)).evidence(design, outcome)
    np.testing.assert_allclose(again, found, rtol=1e-12)
