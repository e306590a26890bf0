"""The numpy psychometric function and its grid, against the task's own and against enumeration."""

import numpy as np
import tensorflow as tf

from aline_tf.experiments.psychometric import psychometric_grid as grids
from aline_tf.tasks.psychometric import SPEC, response_probability


def test_probability_and_prior_are_those_of_the_task():
    rng = np.random.default_rng(0)
    theta, design = grids.sample_prior(rng, 500), rng.uniform(-5, 5, 500)
    ours = grids.success_probability(theta, design)
    theirs = response_probability(tf.constant(theta), tf.constant(design)).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert tuple(p.name for p in SPEC.parameters) == grids.PARAMETER_NAMES
    np.testing.assert_allclose(grids.PARAMETER_LOW, [p.low for p in SPEC.parameters])
    np.testing.assert_allclose(grids.PARAMETER_HIGH, [p.high for p in SPEC.parameters])
    assert (SPEC.design_low[0], SPEC.design_high[0]) == (grids.DESIGN_LOW, grids.DESIGN_HIGH)


def test_axis_integrates_polynomials_exactly():
    axis = grids.Axis.gauss_legendre(0.1, 0.9, 4)
    np.testing.assert_allclose((axis.mass * axis.nodes**7).sum(), (0.9**8 - 0.1**8) / 8 / 0.8)


def test_updates_agree_with_enumerated_likelihoods_and_skip_what_was_not_answered():
    grid = grids.PsychometricGrid((5, 4, 3, 3), dtype=np.float64)
    nodes = np.stack(np.meshgrid(*(a.nodes for a in grid.axes), indexing="ij"), -1)
    weights = grid.prior(2)
    expected = weights.copy()
    for design, outcome in ((0.3, 1), (-2.0, 0), (4.0, 0)):
        grid.update(weights, np.full(2, design), np.full(2, outcome), np.array([True, False]))
        p = grids.success_probability(nodes, design)
        expected[0] *= p if outcome else 1 - p
    expected[0] /= expected[0].sum()
    np.testing.assert_allclose(weights, expected, atol=1e-12)
