"""What `aline-tf train` hangs onto a run: resuming, the log, and a preset as it goes."""

import dataclasses

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError, TrainingDiverged
from aline_tf.models.presets import load_preset, preset_metadata
from aline_tf.training.callbacks import PresetCheckpoint, TrainingLog, training_callbacks
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.full_disk import full_disk
from tests.training.small_tasks import COIN, Coin, SometimesBroken

pytestmark = pytest.mark.usefixtures("module_without_graphs")

WARMUP = Recipe(warmup_batch=4, warmup_steps=3, joint_steps=0, pool=4, candidates_per_step=3)


@pytest.fixture
def trainer(make_model):
    trainer = Trainer(make_model(COIN), COIN)
    trainer.compile(recipe=WARMUP, seed=1)
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


def test_a_run_is_resumed_with_its_log_or_restarted_without(make_model, tmp_path):
    def make():
        trainer = Trainer(make_model(COIN), COIN)
        trainer.compile(recipe=dataclasses.replace(WARMUP, warmup_steps=4), seed=1)
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
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["stale"]
    for a, b in zip(resumed.get_weights(), restarted.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


MINE = ("thesis.tex", "backup/thesis.tex", "backup/latest/a.h5")


def test_files_of_other_people_survive(trainer, tmp_path):
    for name in MINE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("three years")
    for restart in (False, True):
        callbacks = training_callbacks(tmp_path, restart=restart)
        trainer.fit(steps_per_epoch=1, epochs=1, verbose=0, callbacks=callbacks)
        for name in MINE:
            assert (tmp_path / name).read_text() == "three years"
    assert {path.name for path in (tmp_path / "backup").iterdir()} == {"thesis.tex", "latest"}


def test_another_file_in_the_place_of_the_log_is_refused(tmp_path):
    path = tmp_path / "training_log.csv"
    path.write_text("day,pain\n1,2\n")
    with pytest.raises(InputError, match="expected a training log or nothing"):
        training_callbacks(tmp_path)
    assert path.read_text() == "day,pain\n1,2\n"


def test_lines_behind_the_checkpoint_are_cut_off_the_log(trainer, tmp_path):
    path = tmp_path / "log.csv"
    header = "epoch,entropy,inference,loss,policy,reward,teacher\n"
    path.write_text(header + "0,0,1.5,1.5,0,0,0\n1,0,1.4,1.4,0,0,0\n2,0,1")
    trainer.fit(
        epochs=2, initial_epoch=1, steps_per_epoch=1, verbose=0, callbacks=[TrainingLog(path)]
    )
    lines = path.read_text().splitlines()
    assert lines[0] == header.strip()
    assert lines[1].startswith("0,0,1.5")
    assert [line[:2] for line in lines[1:]] == ["0,", "1,"]


def test_what_was_half_written_is_cut_off_the_log(tmp_path):
    """A line 12 of which only the 1 was written is none of epoch 1."""
    path = tmp_path / "log.csv"
    head = ["epoch,inference", "0,1.5", "1,1.4"]
    path.write_text("\n".join([*head, "1"]))
    TrainingLog(path).on_epoch_begin(12)
    assert path.read_text().splitlines() == head


@settings(deadline=None, derandomize=True, max_examples=25)
@given(room=st.integers(0, 400))
def test_a_log_is_whole_on_a_disk_that_becomes_full(tmp_path_factory, room):
    path = tmp_path_factory.mktemp("log") / "log.csv"
    log, epoch = TrainingLog(path), 0
    with (
        full_disk(room),
        pytest.raises(InputError, match=rf"room .* to write {path}; received: File too large"),
    ):
        for epoch in range(40):
            log.on_epoch_begin(epoch)
            log.on_epoch_end(epoch, {"inference": epoch / 3})
    rows = path.read_text().splitlines()[1:] if path.exists() else []
    assert rows == [f"{each},{each / 3}" for each in range(epoch)]
    assert [each.name for each in path.parent.iterdir()] == [path.name][: bool(rows)]


@pytest.mark.parametrize("every", [0, -1, 1.5, True, None])
def test_a_preset_is_written_every_so_many_epochs(tmp_path, every):
    with pytest.raises(InputError, match=f"every 1 or more epochs; received {every!r}"):
        PresetCheckpoint(tmp_path / "preset", every=every)


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_what_was_saved(make_model, tmp_path):
    task = SometimesBroken()
    trainer = Trainer(make_model(task), task)
    trainer.compile(recipe=dataclasses.replace(WARMUP, warmup_steps=40), seed=1)
    callbacks = training_callbacks(tmp_path)
    callbacks[1].every = 1
    with pytest.raises(TrainingDiverged, match="received a loss of nan"):
        trainer.fit(steps_per_epoch=1, verbose=0, callbacks=callbacks)
    steps = int(trainer.optimizer.iterations.numpy())
    assert 1 < steps < 40
    assert preset_metadata(tmp_path / "preset")["steps"] == steps - 1
    weights = load_preset(tmp_path / "preset").get_weights()
    assert all(np.isfinite(weight).all() for weight in weights)
    record, _ = callbacks[2].newest()
    assert record["epoch"] == steps - 1


def test_a_weight_that_is_not_finite_ends_the_run(trainer):
    class Spoil(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            weight = self.model.weights[0]
            weight.assign(np.full(weight.shape, np.inf))

    with pytest.raises(TrainingDiverged, match="not finite in"):
        trainer.fit(steps_per_epoch=1, verbose=0, callbacks=[Spoil()])
