"""The prior of the population: draws are of the distributions that it names."""

import numpy as np
import pytest

from aline_tf import draws
from aline_tf.migraine.schema.parameters import PARAMETER_INDEX
from aline_tf.migraine.simulation.population import WorldSettings, beta_from_uniforms


def test_order_statistics_of_uniforms_are_beta_variables():
    drawn = beta_from_uniforms(draws.uniform((1, 2), [40_000, 2]), 8, 2).numpy()
    assert drawn.mean() == pytest.approx(0.8, abs=0.005)
    assert drawn.std() == pytest.approx(np.sqrt(0.8 * 0.2 / 11), abs=0.005)


def test_triggers_come_from_a_spike_and_a_slab(world):
    theta = world["theta"]
    beta = theta[:, PARAMETER_INDEX["beta_stress"] : PARAMETER_INDEX["beta_missed_meal"] + 1]
    cycling = world["cycling"] > 0.5
    menstrual = PARAMETER_INDEX["beta_menstrual"]
    assert (theta[~cycling, menstrual] == 0).all()
    assert (beta[cycling] != 0).mean() == pytest.approx(WorldSettings().slab_probability, abs=0.02)
    slab = theta[cycling, menstrual][theta[cycling, menstrual] != 0]
    assert slab.mean() == pytest.approx(0.55, abs=0.1)
