"""Networks small enough to train for one step."""

import pytest


@pytest.fixture(scope="session")
def make_tiny():
    """A function (task) -> a fresh, built, tiny ALINE of that task."""
    import keras

    from aline_tf.models.aline import ALINE

    def make(task):
        keras.utils.set_random_seed(5)
        network = ALINE(task.spec, width=8, depth=1, heads=2, hidden=16, components=3)
        network.build()
        return network

    return make
