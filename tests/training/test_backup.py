"""Whenever a run is killed, whatever became of its newest checkpoint, it goes on."""

import dataclasses
import shutil

import keras
import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.training.backup import Backup
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
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


def test_a_second_fit_does_not_begin_where_the_first_was_resumed(make, backup):
    trainer = make()
    trainer.fit(steps_per_epoch=1, verbose=0, callbacks=[Backup(backup)])
    assert trainer.fit(steps_per_epoch=1, epochs=1, verbose=0).epoch == [0]
