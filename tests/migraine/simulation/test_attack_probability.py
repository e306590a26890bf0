"""The chance of an attack of somebody of whom everything is known."""

import numpy as np
import pytest

from aline_tf.migraine.simulation.attack_probability import (
    LONGEST,
    MEDIANS,
    ending_probabilities,
    true_attack_probabilities,
)
from aline_tf.migraine.simulation.simulator import ATTACK, INTERICTAL, POSTDROME, PRODROME
from aline_tf.migraine.task.simulated import MigraineTask


@pytest.mark.parametrize("treated", [False, True])
def test_every_attack_ends_and_treated_ones_sooner(treated):
    ends = ending_probabilities(MEDIANS, treated)
    assert ends.shape == (len(MEDIANS), LONGEST)
    assert ((ends >= 0) & (ends <= 1)).all()
    np.testing.assert_allclose(ends[:, -1], 1.0)
    assert (
        ending_probabilities(MEDIANS, True)[:, 0] >= ending_probabilities(MEDIANS, False)[:, 0]
    ).all()


def test_chances_of_the_four_phases():
    """Without hazard: nobody interictal has an attack; a prodrome leads to one in 85%."""
    phase = np.array([INTERICTAL, PRODROME, ATTACK, POSTDROME], np.int32)
    age = np.array([-1, -1, 0, -1], np.int32)
    hours = np.full(4, MEDIANS[8], np.float32)
    chances = true_attack_probabilities(
        phase, age, np.zeros(4, "f"), hours, np.zeros([4, 8], "f")
    ).numpy()
    assert chances[0].tolist() == [0.0, 0.0] and chances[3].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(chances[1], 0.85 * (1.0 - 0.4 ** np.array([4, 8])), rtol=1e-5)
    goes_on = 1.0 - ending_probabilities(MEDIANS[8:9], False)[0, 0]
    np.testing.assert_allclose(chances[2], goes_on, rtol=1e-5)


def test_a_hazard_counts_for_those_who_are_free():
    """The episode has to begin and its prodrome to end within the time."""
    hazard = np.zeros([2, 8], np.float32)
    hazard[:, 0] = 0.5
    phase = np.array([INTERICTAL, POSTDROME], np.int32)
    chances = true_attack_probabilities(phase, [-1, -1], [0.0, 0.0], [18.0, 18.0], hazard).numpy()
    free = np.array([1.0, 0.4])[:, None]
    np.testing.assert_allclose(
        chances, free * 0.5 * 0.85 * (1.0 - 0.4 ** np.array([3, 7])), rtol=1e-5
    )


def test_attack_probability_says_what_comes_about():
    """Over many people, as many attacks as foreseen, among those at high and at low risk."""
    sizes = {"days": 20, "targets": 2, "episodes_per_person": 1}
    foreseen = MigraineTask(**sizes).sample_episodes((3, 4), 4000, 2)["target_outcome"].numpy()
    task = MigraineTask(**sizes, attack_probability=False)
    came = task.sample_episodes((3, 4), 4000, 2)["target_outcome"].numpy()
    assert set(np.unique(came)) == {0.0, 1.0}
    for horizon in (0, 1):
        expected, found = foreseen[:, horizon], came[:, horizon]
        for group in np.array_split(np.argsort(expected), 4):
            sd = np.sqrt(np.mean(expected[group] * (1.0 - expected[group])) / len(group))
            assert abs(expected[group].mean() - found[group].mean()) < 3.5 * sd
        assert np.var(expected) < 0.6 * np.var(found)
