"""Marginal summaries: steps and groups joined, ranks of the truth."""

import numpy as np

from aline_tf.evaluation.estimates import Estimates


def estimates(value, runs=3):
    return Estimates(*(np.full((runs, 2), value + part) for part in range(4)))


def test_steps_are_stacked_and_groups_concatenated():
    steps = Estimates.stack([estimates(0.0), estimates(10.0)])
    assert steps.mean.shape == (3, 2, 2) and steps.high[0, 1, 0] == 12.0
    both = Estimates.concatenate([estimates(0.0, 3), estimates(1.0, 2)])
    assert both.low.shape == (5, 2) and both.low[-1, 0] == 2.0
    assert steps.at is None and both.pit() is None


def test_ranks_lie_between_the_two_probabilities_and_in_the_unit_interval():
    one = estimates(0.0)._replace(below=np.full((3, 2), 0.2), at=np.full((3, 2), 0.6))
    assert ((one.pit() >= 0.2) & (one.pit() <= 0.6)).all()
    np.testing.assert_array_equal(one.pit(), one.pit())
    hair = one._replace(below=np.full((3, 2), 1.0 + 1e-7), at=np.full((3, 2), 1.0 + 1e-7))
    assert hair.pit().max() == 1.0
