"""Whenever a run is killed, whatever became of its newest checkpoint, it goes on."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf import draws
from aline_tf.errors import InputError
from aline_tf.models.presets import _bytes_of_weights, save_weights
from aline_tf.training.backup import Backup
from aline_tf.training.callbacks import training_callbacks
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.full_disk import full_disk
from tests.training.small_tasks import COIN

RECIPE = Recipe(warmup_batch=4, warmup_steps=4, joint_steps=0, pool=4, candidates_per_step=3)
FILES = ["latest.json", "latest.weights.h5", "previous.json", "previous.weights.h5"]


class Killed(Exception):
    pass


class KillAtEpoch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise Killed


@pytest.fixture(scope="module")
def make(make_model):
    def make(recipe=RECIPE, seed=1):
        trainer = Trainer(make_model(COIN), COIN)
        trainer.compile(recipe=recipe, seed=seed)
        return trainer

    return make


@pytest.fixture(scope="module")
def interrupted(make, tmp_path_factory):
    """The checkpoints of a run that was killed after two of its four epochs."""
    directory = tmp_path_factory.mktemp("run") / "backup"
    with pytest.raises(Killed):
        make().fit(steps_per_epoch=1, verbose=0, callbacks=[Backup(directory), KillAtEpoch()])
    assert sorted(path.name for path in directory.iterdir()) == FILES
    return directory


pytestmark = [
    pytest.mark.filterwarnings("ignore:Expected whole checkpoints"),
    pytest.mark.usefixtures("module_without_graphs"),
]


@pytest.fixture
def backup(interrupted, tmp_path):
    return shutil.copytree(interrupted, tmp_path / "backup")


def test_the_newest_whole_checkpoint_is_found(backup):
    record, state = Backup(backup).newest()
    assert record["epoch"] == 2
    assert state == backup / "latest.weights.h5"
    assert Backup(backup / "nowhere").newest() is None


@pytest.mark.parametrize("part", [0.0, 1e-4, 0.1, 0.5, 0.9, 0.99999])
def test_a_truncated_state_gives_way_to_the_one_before(backup, part):
    state = backup / "latest.weights.h5"
    whole = state.read_bytes()
    state.write_bytes(whole[: int(part * len(whole))])
    with pytest.warns(UserWarning, match=r"damaged latest.weights.h5; resuming after epoch 1"):
        record, found = Backup(backup).newest()
    assert record["epoch"] == 1
    assert found == backup / "previous.weights.h5"


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_is_noticed(backup, name):
    file = backup / name
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2 if name.endswith("h5") else 0] ^= 0xFF
    file.write_bytes(whole)
    with pytest.warns(UserWarning, match="damaged"):
        record, _ = Backup(backup).newest()
    assert record["epoch"] == (1 if name.startswith("latest") else 2)


def test_between_any_two_steps_of_writing_there_is_a_whole_checkpoint(make, backup, monkeypatch):
    """The process ends after the 1st, 2nd, 3rd or 4th file has taken its new name."""
    import os

    replace = os.replace
    for survived in range(4):
        directory = shutil.copytree(backup, backup.parent / f"after_{survived}")
        done = []

        def replace_until(old, new, done=done, survived=survived):
            if len(done) == survived:
                raise Killed
            done.append(new)
            replace(old, new)

        monkeypatch.setattr("aline_tf.training.backup.os.replace", replace_until)
        callback = Backup(directory)
        callback.set_model(make())
        callback._own = {}
        with pytest.raises(Killed):
            callback.on_epoch_end(2)
        record, state = Backup(directory).newest()
        assert record["epoch"] == 2
        assert state.is_file()


def test_with_a_damaged_checkpoint_a_run_ends_where_it_would_have_ended(make, backup):
    (backup / "latest.weights.h5").write_bytes(b"half")
    whole, resumed = make(), make()
    whole.fit(steps_per_epoch=1, verbose=0)
    (backup / "notes.txt").write_text("mine")
    history = resumed.fit(steps_per_epoch=1, verbose=0, callbacks=[Backup(backup)])
    assert history.epoch == [1, 2, 3]
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [path.name for path in backup.iterdir()] == ["notes.txt"]


def test_nothing_whole_is_said_and_not_passed_over(make, backup):
    for name in ("latest.weights.h5", "previous.weights.h5"):
        (backup / name).write_bytes(b"half")
    with pytest.raises(InputError, match=r"expected a whole checkpoint .*--restart.*; received"):
        make().fit(steps_per_epoch=1, verbose=0, callbacks=[Backup(backup)])


def test_another_run_is_not_resumed_unless_it_is_asked_for(make, backup):
    def refusal(trainer, **run):
        with pytest.raises(InputError) as refused:
            trainer.fit(steps_per_epoch=1, verbose=0, callbacks=[Backup(backup, run=run)])
        return str(refused.value)

    assert "with seed=1 (--restart forgets it); received seed=2" in refusal(make(seed=2))
    other = dataclasses.replace(RECIPE, conditioning_rate=0.5)
    assert "conditioning_rate=0.25 (--restart forgets it); received " in refusal(make(other))
    assert "from_preset=None (--restart forgets it); received" in refusal(make(), from_preset="a")
    trainer = make(seed=2)
    history = trainer.fit(
        steps_per_epoch=1, epochs=1, verbose=0, callbacks=[Backup(backup, restart=True)]
    )
    assert history.epoch == [0]


def test_a_task_or_model_that_was_changed_is_another_run(make_model, make, backup):
    """Same name, same shapes: bounds that were moved, heads that are more."""

    class Moved(type(COIN)):
        spec = dataclasses.replace(COIN.spec, design_high=(2.0,))

    class More(type(COIN)):
        pass

    for task, sizes, message in (
        (Moved(), {}, r"with model.spec.design_high=\[1.0\] .*; received .*=\[2.0\]"),
        (More(), {"num_heads": 4}, r"with model.num_heads=2 .*; received model.num_heads=4"),
    ):
        trainer = Trainer(make_model(task, **sizes), task)
        trainer.compile(recipe=RECIPE, seed=1)
        with pytest.raises(InputError, match=message):
            trainer.fit(steps_per_epoch=1, verbose=0, callbacks=[Backup(backup)])
    # What an earlier version left says nothing of them, and is gone on with.
    for record in backup.glob("*.json"):
        about = json.loads(record.read_text())
        del about["run"]["model"]
        record.write_text(json.dumps(about))
    history = make().fit(steps_per_epoch=1, verbose=0, callbacks=[Backup(backup)])
    assert history.epoch == [2, 3]


def cheap_loss(model, task, recipe, seed, *_):
    """Of the weights and of the seed of the step."""
    (first, *_), drawn = model.trainable_variables, draws.uniform(seed, [])
    loss = tf.reduce_sum(tf.square(first - drawn))
    return loss, {"inference": loss}


@pytest.fixture(scope="module")
def whole(make):
    """Weights at the end of a run that nothing came in the way of, under the cheap loss."""
    trainer = make()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aline_tf.training.trainer.warmup_loss", cheap_loss)
        trainer.fit(steps_per_epoch=1, verbose=0)
    return trainer.get_weights()


@settings(deadline=None, derandomize=True, max_examples=6)
@given(
    hook=st.sampled_from(
        ["on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_epoch_end"]
    ),
    epoch=st.integers(0, 3),
    error=st.sampled_from([RuntimeError, KeyboardInterrupt, OSError]),
    first=st.booleans(),
)
def test_wherever_a_callback_raises_the_run_goes_on(
    make, whole, tmp_path_factory, hook, epoch, error, first
):
    directory = tmp_path_factory.mktemp("raised")

    class Raise(keras.callbacks.Callback):
        pass

    def fail(self, index, logs=None):
        # Batches are counted within an epoch, which has one.
        if self.model.optimizer.iterations.numpy() == epoch + hook.endswith("end"):
            raise error("by somebody's own callback")

    setattr(Raise, hook, fail)
    callbacks = training_callbacks(directory)
    callbacks = [Raise(), *callbacks] if first else [*callbacks, Raise()]
    raised, resumed = make(), make()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aline_tf.training.trainer.warmup_loss", cheap_loss)
        with pytest.raises(error, match="somebody's own"):
            raised.fit(steps_per_epoch=1, verbose=0, callbacks=callbacks)
        left = {path.name for path in directory.rglob("*")}
        assert not any("partial" in name or "retired" in name for name in left)
        resumed.fit(steps_per_epoch=1, verbose=0, callbacks=training_callbacks(directory))
    for a, b in zip(whole, resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    rows = (directory / "training_log.csv").read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == ["0", "1", "2", "3"]
    assert not (directory / "backup").exists()


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_the_room_that_is_asked_for_is_enough_and_not_much_more(make_model, tmp_path, dtype):
    trainer = Trainer(make_model(COIN, hidden_dim=64, intermediate_dim=128, dtype=dtype), COIN)
    trainer.compile(recipe=RECIPE)
    for model in (trainer, trainer.model):
        path = tmp_path / f"{type(model).__name__}.weights.h5"
        save_weights(model, path)
        assert 0.5 * _bytes_of_weights(model) < path.stat().st_size <= _bytes_of_weights(model)


@settings(deadline=None, derandomize=True, max_examples=15)
@given(share=st.floats(0.0, 1.0))
def test_a_disk_that_is_full_keeps_the_checkpoints_before(make, interrupted, share):
    backup = interrupted
    before = {path.name: path.read_bytes() for path in backup.iterdir()}
    room = int(share * len(before["latest.weights.h5"]))
    callback = Backup(backup)
    callback.set_model(make())
    callback._own = {}
    with (
        full_disk(room),
        pytest.raises(InputError, match=rf"room .* to write {backup}; received: File too large"),
    ):
        callback.on_epoch_end(2)
    assert {path.name: path.read_bytes() for path in backup.iterdir()} == before


def test_a_file_in_the_place_of_the_directory_is_said_before_the_first_step(make, tmp_path):
    (tmp_path / "backup").touch()
    trainer = make()
    with pytest.raises(InputError, match=r"directory to write to; received .*backup, a file"):
        trainer.fit(steps_per_epoch=1, verbose=0, callbacks=[Backup(tmp_path / "backup")])
    assert int(trainer.optimizer.iterations.numpy()) == 0


def test_a_second_fit_does_not_begin_where_the_first_was_resumed(make, backup):
    trainer = make()
    trainer.fit(steps_per_epoch=1, verbose=0, callbacks=[Backup(backup)])
    assert trainer.fit(steps_per_epoch=1, epochs=1, verbose=0).epoch == [0]
