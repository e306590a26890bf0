"""What `aline-tf train` hangs onto a run: resuming, the log, and a preset as it goes."""

import dataclasses

import keras
import numpy as np
import pytest

from aline_tf.models.presets import load_preset, preset_metadata
from aline_tf.training.callbacks import PresetCheckpoint, training_callbacks
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.training.small_tasks import Coin

WARMUP = Recipe(warmup_batch=4, warmup_steps=3, joint_steps=0, pool=4, offer=3)


@pytest.fixture
def trainer(make_network):
    task = Coin()
    trainer = Trainer(make_network(task), task)
    trainer.compile(WARMUP, seed=1)
    return trainer


def test_the_preset_follows_the_training(trainer, tmp_path):
    written = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if (tmp_path / "preset").exists():
                written.append((epoch, preset_metadata(tmp_path / "preset")["steps"]))

    callbacks = [PresetCheckpoint(tmp_path / "preset", every=2), Watch()]
    history = trainer.fit(steps_per_epoch=1, verbose=0, callbacks=callbacks)
    assert written == [(1, 2), (2, 2)]
    metadata = preset_metadata(tmp_path / "preset")
    assert metadata["task"] == "coin"
    assert metadata["last_epoch"]["loss"] == history.history["loss"][1]
    assert load_preset(tmp_path / "preset").spec == Coin.spec


class Killed(Exception):
    pass


class KillAtEpoch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise Killed


def test_a_run_is_resumed_with_its_log_or_restarted_without(make_network, tmp_path):
    def make():
        task = Coin()
        trainer = Trainer(make_network(task), task)
        trainer.compile(dataclasses.replace(WARMUP, warmup_steps=4), seed=1)
        return trainer

    def epochs():
        rows = (tmp_path / "training_log.csv").read_text().splitlines()[1:]
        return [int(row.split(",")[0]) for row in rows]

    with pytest.raises(Killed):
        make().fit(
            steps_per_epoch=1,
            verbose=0,
            callbacks=[*training_callbacks(tmp_path), KillAtEpoch()],
        )
    assert epochs() == [0, 1]
    assert (tmp_path / "backup").is_dir()

    resumed = make()
    resumed.fit(steps_per_epoch=1, verbose=0, callbacks=training_callbacks(tmp_path))
    assert epochs() == [0, 1, 2, 3]
    assert not (tmp_path / "backup").exists()

    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "stale").write_text("from another run")
    restarted = make()
    callbacks = training_callbacks(tmp_path, restart=True)
    restarted.fit(steps_per_epoch=1, verbose=0, callbacks=callbacks)
    assert epochs() == [0, 1, 2, 3]
    for a, b in zip(resumed.get_weights(), restarted.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
