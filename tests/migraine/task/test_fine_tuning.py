"""Fine-tuning trains what it says, and leaves the rest of a model as it was."""

import numpy as np
import pytest

from aline_tf.batch import BATCH_FIELDS
from aline_tf.errors import InputError
from aline_tf.migraine.task import fine_tuning
from aline_tf.migraine.task.fine_tuning import RATE, WEIGHTS, fine_tune
from aline_tf.migraine.task.simulated import MigraineTask
from aline_tf.models.aline import ALINE
from tests.models.batches import SIZES
from tests.seeds import seed_weights


@pytest.fixture(scope="module")
def task():
    return MigraineTask(days=4, targets=4)


@pytest.fixture
def model(task, monkeypatch):
    monkeypatch.setattr(fine_tuning, "BATCH", 8)
    seed_weights(3)
    model = ALINE.for_task(task, **SIZES)
    model.build()
    return model


def outputs(model, task):
    episode = task.sample_episodes((5, 5), 4, 6)
    found = model({name: episode[name] for name in BATCH_FIELDS})
    return {name: np.asarray(array) for name, array in found.items()}


def test_only_forecasts_change_unless_more_is_asked_for(model, task, without_graphs):
    before, names = outputs(model, task), [w.path for w in model.trainable_weights]
    recipe = fine_tune(model, task, steps=2, verbose=0)
    after = outputs(model, task)
    assert recipe["optimizer"]["learning_rate"] == RATE
    assert {name for name in after if not np.array_equal(before[name], after[name])} == {
        "target_raw"
    }
    assert [w.path for w in model.trainable_weights] == names  # frozen for as long as it took
    fine_tune(model, task, steps=2, weights="all", verbose=0)
    last = outputs(model, task)
    assert not any(np.array_equal(after[name], last[name]) for name in after)


def test_a_small_rate_stays_small_and_any_seed_will_do(model, task, without_graphs):
    recipe = fine_tune(model, task, steps=1, learning_rate=1e-6, seed=-1, verbose=0)
    assert recipe["optimizer"]["learning_rate"] == 1e-6
    assert recipe["optimizer"]["final_learning_rate"] == 1e-6


def test_what_a_user_has_frozen_stays_frozen(model, task, without_graphs):
    model.embedder.trainable = False
    before = [w.numpy() for w in model.embedder.weights]
    for weights in WEIGHTS:
        fine_tune(model, task, steps=1, weights=weights, verbose=0)
    assert not model.embedder.trainable
    for old, new in zip(before, model.embedder.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_weights_come_back_when_training_stops_short(model, task, monkeypatch):
    names = [w.path for w in model.trainable_weights]

    def fit(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("aline_tf.training.trainer.Trainer.fit", fit)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(model, task, steps=1)
    assert [w.path for w in model.trainable_weights] == names


def test_other_weights_are_refused(model, task):
    with pytest.raises(InputError, match="one of outcome_head, all; received 'heads'"):
        fine_tune(model, task, weights="heads")
