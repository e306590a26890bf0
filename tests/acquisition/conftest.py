"""One small model for all who ask it questions: its graphs are traced once."""

import pytest

from tests.seeds import seed_weights


@pytest.fixture(scope="session")
def make_psychometric():
    """A function (seed) -> an untrained model of the psychometric task."""
    from aline_tf.models.aline import ALINE
    from aline_tf.tasks.psychometric import SPEC

    sizes = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8}

    def make(seed):
        seed_weights(seed)
        model = ALINE(SPEC, **sizes, components=2)
        model.build()
        return model

    return make


@pytest.fixture(scope="session")
def psychometric_model(make_psychometric):
    """One of them, which tests read and never change."""
    return make_psychometric(4)
