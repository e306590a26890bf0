"""Pools of any size: the exact posterior is calibrated in all of them."""

import pytest

from aline_tf.acquisition.policies import RandomPolicy
from aline_tf.evaluation.promises import PolicyRuns, RefinedInference, pool
from aline_tf.evaluation.promises.suite import Examined
from aline_tf.tasks import LocationFinding


def test_the_exact_posterior_is_calibrated_in_all(examined):
    figures = list(pool.figures(examined(pools=(30, 50))))
    assert [row.measured for row in figures] == [
        f"{size} places: {what}" for size in (30, 50) for what in ("SBC p", "RMSE / exact")
    ]
    for row in figures:
        assert row.holds
        if row.measured.endswith("exact"):
            assert row.figure == pytest.approx(1.0)


def test_corners_are_asked_again_and_again():
    task = LocationFinding()
    histories = PolicyRuns(task, RandomPolicy(0), runs=2, candidates=30, seed=1)
    oracle = RefinedInference(task)
    found = Examined(task, histories, oracle, oracle, corners=True)
    episode = pool._corners(found)
    assert episode["candidate_design"].shape == (2, 4 * 30, 2)
    assert len({tuple(place) for place in episode["candidate_design"][0]}) == 4
    # Every time it is asked a corner answers anew.
    assert len(set(episode["candidate_outcome"][0, ::4, 0].tolist())) == 30
