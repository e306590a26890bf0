"""Networks small enough to train for one step."""

import pytest

from tests.seeds import seed_weights


@pytest.fixture(scope="session")
def make_tiny():
    """A function (task) -> a fresh, built, tiny ALINE of that task."""

    from aline_tf.models.aline import ALINE

    def make(task):
        seed_weights(5)
        network = ALINE.for_task(
            task, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=16, components=3
        )
        network.build()
        return network

    return make
