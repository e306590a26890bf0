"""What tests of the forecast share: a small model without training, and the example person."""

import functools
from pathlib import Path

import pytest

from tests.seeds import seed_weights

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@functools.cache
def make_model():
    """Made once, also for tests of other rooms that have these fixtures."""
    from aline_tf.migraine.schema.spec import SPEC
    from aline_tf.migraine.task.day_features import DayFeatures
    from aline_tf.models.aline import ALINE

    seed_weights(5)
    sizes = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 16}
    model = ALINE(SPEC, **sizes, components=3, history_features=DayFeatures())
    model.build()
    # Fresh weights answer nearly the same whatever they read; larger ones do not.
    for weight in model.trainable_weights:
        if weight.name == "kernel":
            weight.assign(2.0 * weight)
    return model


@pytest.fixture(scope="session")
def model():
    """A small untrained model whose answers depend visibly on what it reads."""
    return make_model()


@pytest.fixture(scope="session")
def compiled_model(model):
    """The same, as evaluations read it."""
    from aline_tf.models.compiled import Compiled

    return Compiled(model)


@pytest.fixture(scope="session")
def preset(model, tmp_path_factory):
    """A directory with the preset of `model`."""
    from aline_tf.models.presets import save_preset

    directory = tmp_path_factory.mktemp("models") / "preset"
    save_preset(model, directory)
    return directory


@pytest.fixture(scope="session")
def example():
    """The timeline of the example person."""
    from aline_tf.migraine.records.importers import import_timeline

    return import_timeline(EXAMPLES / "export.zip", EXAMPLES / "diary.csv")


@pytest.fixture(scope="session")
def evening(example):
    """(batch, candidates, history) of the example person on an evening with an empty diary row."""
    from datetime import datetime

    from aline_tf.migraine.forecast.person_batch import history_batch
    from aline_tf.migraine.records.days import day_history

    history = day_history(example, datetime(2025, 4, 17, 20), 112)
    batch, candidates = history_batch(history)
    return batch, candidates, history


@pytest.fixture(scope="session")
def example_outlook(model, example):
    """Everything a forecast says about the example person on that evening."""
    from aline_tf.migraine.forecast.moment import evening_of
    from aline_tf.migraine.forecast.outlook import outlook_at

    return outlook_at(model, example, evening_of(example, "2025-04-17"), cost_weight=0.001)
