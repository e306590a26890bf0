"""What tests of the simulation share: many people of the fitted world, simulated once."""

import functools

import pytest

PEOPLE, DAYS = 1500, 112
SEED = (4, 7)


@pytest.fixture(scope="session")
def simulated():
    """A function that simulates people: a dict of numpy arrays."""
    import tensorflow as tf

    from aline_tf.migraine.simulation.simulator import simulate_people

    @functools.cache
    def graph(people, days, settings):
        return tf.function(lambda seed: simulate_people(seed, people, days, settings))

    def simulate(people=PEOPLE, days=DAYS, seed=SEED, settings=None):
        run = graph(people, days, settings)
        return {name: value.numpy() for name, value in run(tf.constant(seed)).items()}

    return simulate


@pytest.fixture(scope="session")
def world(simulated):
    """Many people of the fitted world."""
    return simulated()
