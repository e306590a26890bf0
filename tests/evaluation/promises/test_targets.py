"""Predictions as targets: the policy of the largest exact gain has all of it."""

import numpy as np
import pytest

from aline_tf.acquisition.policies import Policy, RandomPolicy, masked_argmax
from aline_tf.evaluation.promises import targets


class Greedy(Policy):
    name = "greedy"

    def __init__(self, exact):
        self.exact = exact

    def _choose(self, batch, mask):
        return masked_argmax(self.exact.gain(batch), mask)


@pytest.mark.parametrize("inputs", [((0.0,),), ((-4.0,), (2.5,))])
def test_the_best_choice_has_the_best_gain(examined, inputs):
    greedy = Greedy(examined().exact)
    found = examined(policy=greedy, target_inputs=inputs)
    figures = list(targets.figures(found))
    assert len(figures) == 2 * 2 * len(inputs)
    for row in figures:
        if row.by == "policy":
            assert row.figure == pytest.approx(1.0)
            assert row.holds
        else:
            assert 0.0 < row.figure < 0.9
            assert row.holds is None


def test_a_policy_that_always_asks_at_one_end_is_found_out(examined):
    class AtTheEnd(RandomPolicy):
        def _choose(self, batch, mask):
            return masked_argmax(-np.asarray(batch["candidate_design"])[..., 0], mask)

    found = examined(policy=AtTheEnd(), target_inputs=((2.0,),))
    shares = [row.figure for row in targets.figures(found) if row.by == "policy"]
    assert max(shares) < 0.2


def test_a_task_without_such_targets_has_no_figures(examined):
    assert not list(targets.figures(examined(policy=RandomPolicy(0))))
