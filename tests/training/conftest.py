"""Tiny models for the small tasks, built once."""

import pytest

from tests.seeds import seed_weights
from tests.training.small_tasks import SIZES


@pytest.fixture(scope="session")
def make_model():
    """A function (task, seed, **sizes) -> a fresh, built, tiny ALINE."""

    from aline_tf.models.aline import ALINE

    def make(task, seed=5, **sizes):
        seed_weights(seed)
        model = ALINE.for_task(task, **(SIZES | sizes))
        model.build()
        return model

    return make


@pytest.fixture(scope="session")
def psychometric_model(make_model):
    """An untrained model of the psychometric task; tests read it and never change it."""
    from aline_tf.tasks.psychometric import Psychometric

    return make_model(Psychometric())
