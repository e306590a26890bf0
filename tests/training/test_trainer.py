"""Training behind compile and fit: reproducible, resumable, watched by any Keras callback."""

import contextlib
import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from aline_tf.models.aline import ALINE
from aline_tf.tasks.psychometric import Psychometric
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.graphs import without_graphs
from tests.training.small_tasks import COIN, ConjugateNormal

RECIPE = Recipe(
    batch=4,
    warmup_batch=4,
    warmup_steps=3,
    joint_steps=3,
    group_size=2,
    pool=4,
    candidates_per_step=3,
    steps_per_episode=2,
)
STEPS_PER_EPOCH = 2


class Killed(Exception):
    pass


class KillAfter(keras.callbacks.Callback):
    """Stops the process' work in the middle of an epoch, as a lost machine would."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise Killed


@pytest.fixture(scope="module")
def make_trainer(make_model):
    def make(recipe=RECIPE, seed=3, sizes=(), **kwargs):
        trainer = Trainer(make_model(COIN, **dict(sizes)), COIN)
        trainer.compile(recipe=recipe, seed=seed, **kwargs)
        return trainer

    return make


@pytest.fixture(scope="module")
def whole_run(make_trainer, tmp_path_factory):
    """An uninterrupted run under every usual callback: (trainer, history, directory)."""
    out = tmp_path_factory.mktemp("run")
    trainer = make_trainer()
    history = trainer.fit(
        steps_per_epoch=STEPS_PER_EPOCH,
        verbose=0,
        callbacks=[
            keras.callbacks.CSVLogger(str(out / "log.csv")),
            keras.callbacks.TensorBoard(str(out / "board")),
            keras.callbacks.EarlyStopping(monitor="inference", mode="min", patience=50),
            keras.callbacks.ModelCheckpoint(
                str(out / "best.weights.h5"),
                monitor="inference",
                mode="min",
                save_best_only=True,
                save_weights_only=True,
            ),
            keras.callbacks.BackupAndRestore(str(out / "backup")),
            keras.callbacks.TerminateOnNaN(),
        ],
    )
    return trainer, history.history, out


@pytest.fixture(scope="module")
def resumed_run(make_trainer, tmp_path_factory):
    """The same run, killed in its second epoch and resumed by another trainer: (trainer, its
    history, the history before the kill)."""
    backup = str(tmp_path_factory.mktemp("resumed") / "backup")
    first = make_trainer()
    early = keras.callbacks.History()
    with pytest.raises(Killed):
        first.fit(
            steps_per_epoch=STEPS_PER_EPOCH,
            verbose=0,
            callbacks=[early, keras.callbacks.BackupAndRestore(backup), KillAfter(3)],
        )
    second = make_trainer()
    history = second.fit(
        steps_per_epoch=STEPS_PER_EPOCH,
        verbose=0,
        callbacks=[keras.callbacks.BackupAndRestore(backup)],
    )
    return second, history.history, early.history


def test_fit_goes_to_the_end_of_the_recipe_and_reports_every_loss(whole_run):
    trainer, history, _ = whole_run
    assert int(trainer.optimizer.iterations.numpy()) == RECIPE.steps
    assert {"loss", "inference", "reward", "entropy", "policy", "teacher"} <= set(history)
    for values in history.values():
        assert len(values) == RECIPE.steps // STEPS_PER_EPOCH
        assert np.isfinite(values).all()
    assert history["entropy"][0] == 0.0  # warm-up has no policy
    assert history["entropy"][-1] > 0.0


def test_callbacks_leave_what_they_promise(whole_run):
    _, history, out = whole_run
    rows = (out / "log.csv").read_text().splitlines()
    assert len(rows) == 1 + RECIPE.steps // STEPS_PER_EPOCH
    assert "inference" in rows[0]
    logged = [float(row.split(",")[rows[0].split(",").index("inference")]) for row in rows[1:]]
    np.testing.assert_allclose(logged, history["inference"], rtol=1e-6)
    assert list((out / "board").rglob("*tfevents*"))
    assert (out / "best.weights.h5").is_file()
    assert not (out / "backup").exists()  # a finished run has nothing to resume


@pytest.mark.usefixtures("without_graphs")
def test_without_graphs_the_losses_are_the_same(whole_run, make_trainer):
    history = make_trainer().fit(steps_per_epoch=STEPS_PER_EPOCH, verbose=0).history
    for name, values in whole_run[1].items():
        np.testing.assert_allclose(history[name], values, rtol=1e-4, atol=1e-5, err_msg=name)


def test_an_equal_seed_gives_the_same_losses_to_the_last_bit(whole_run, resumed_run):
    _, history, _ = whole_run
    early = resumed_run[2]
    for name, values in early.items():
        assert len(values) == 1
        assert values[0] == history[name][0], name


def test_a_run_that_was_killed_and_resumed_ends_where_it_would_have_ended(whole_run, resumed_run):
    trainer, history, _ = whole_run
    resumed, later, _ = resumed_run
    for name, values in later.items():
        assert values == history[name][1:], name
    for a, b in zip(trainer.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(trainer.optimizer.variables, resumed.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.usefixtures("without_graphs")
def test_gradients_are_a_pure_function_of_seed_and_step(make_trainer):
    trainer, other = make_trainer(), make_trainer(seed=4)

    def inference(trainer, step):
        return float(trainer.step_gradients(tf.constant(step))[1]["inference"])

    assert inference(trainer, 0) == inference(trainer, 0)
    assert inference(trainer, 0) != inference(trainer, 1)
    assert inference(trainer, 0) != inference(other, 0)


@pytest.mark.usefixtures("without_graphs")
def test_parts_of_the_batch_add_up_to_the_whole_gradient(make_trainer):
    """With every state of every episode looked at, all parts count alike."""
    recipe = dataclasses.replace(
        RECIPE,
        batch=8,
        warmup_steps=0,
        steps_per_episode=9,
        conditioning_rate=0.0,
        random_design_weight=0.5,
    )
    found = []
    for parts in (1, 2, 4):
        trainer = make_trainer(dataclasses.replace(recipe, gradient_accumulation_steps=parts))
        gradients, metrics = trainer.step_gradients(tf.constant(1))
        found.append(([gradient.numpy() for gradient in gradients], metrics))
    (whole, told), *others = found
    assert any(np.abs(gradient).max() > 1e-3 for gradient in whole)
    for gradients, metrics in others:
        for gradient, right in zip(gradients, whole, strict=True):
            np.testing.assert_allclose(gradient, right, rtol=1e-3, atol=1e-5)
        for name in ("loss", "inference", "reward", "entropy", "policy"):
            np.testing.assert_allclose(metrics[name], told[name], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_jit_gives_the_same_first_step(make_trainer):
    recipe = dataclasses.replace(RECIPE, warmup_steps=0, joint_steps=1)
    # Compared is what comes before the update; AdamW is compiled in the test of both phases.
    sizes = {"hidden_dim": 4, "intermediate_dim": 8}
    trainer = make_trainer(recipe, sizes=sizes, jit_compile=True, optimizer="sgd")
    plain = {k: float(v) for k, v in trainer.step_gradients(tf.constant(0))[1].items()}
    jitted = trainer.fit(steps_per_epoch=1, verbose=0).history
    for name, value in plain.items():
        np.testing.assert_allclose(jitted[name][0], value, atol=1e-4, rtol=1e-4, err_msg=name)


def test_a_task_and_a_model_that_do_not_match_are_refused(make_model):
    with pytest.raises(ValueError, match=r"model of task 'psychometric'\. Received: one of 'coin'"):
        Trainer(make_model(COIN), Psychometric())
    for pair in ((COIN, make_model(COIN)), (make_model(COIN), type(COIN)), (None, COIN)):
        with pytest.raises(ValueError, match=r"Expected Trainer\(model, task\) with"):
            Trainer(*pair)


def test_a_model_that_lacks_what_its_task_offers_is_warned_of():
    from aline_tf.tasks.ces import CES

    model = ALINE(CES().spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    with pytest.warns(UserWarning, match="the design_features and outcome_features that CES"):
        Trainer(model, CES())


@pytest.mark.slow
def test_jit_compiles_both_phases_and_long_episodes(make_trainer, monkeypatch):
    """Three loops one after the other, as episodes of 20 steps and more have."""
    monkeypatch.setattr("aline_tf.training.rollout._LONG", 1)
    monkeypatch.setattr("aline_tf.training.phases.condition_at_random", lambda state, *_: state)
    sizes = {"hidden_dim": 4, "num_layers": 1, "intermediate_dim": 4, "components": 2}
    recipe = dataclasses.replace(RECIPE, warmup_steps=1, joint_steps=1)
    found = []
    for jit, graphs in ((False, without_graphs()), (True, contextlib.nullcontext())):
        trainer = make_trainer(recipe, sizes=sizes, jit_compile=jit)
        with graphs:
            found.append(trainer.fit(steps_per_epoch=1, verbose=0).history)
    for name, values in found[0].items():
        np.testing.assert_allclose(found[1][name], values, atol=1e-4, rtol=1e-3, err_msg=name)


@pytest.mark.usefixtures("without_graphs")
def test_held_out_figures_have_names_and_a_stream_of_their_own(make_trainer, capsys):
    trainer = make_trainer()
    before = [weight.copy() for weight in trainer.get_weights()]
    found = trainer.evaluate(episodes=16, steps=2, seed=5)
    assert "32 held-out episodes - loss: " in capsys.readouterr().out
    assert list(found) == ["loss", "inference", "reward", "entropy", "coverage_90"]
    assert all(np.isfinite(value) for value in found.values())
    assert found["loss"] == found["inference"] > 0.0
    assert 0.0 < found["entropy"] <= np.log(RECIPE.rollout.pool) + 1e-6
    assert 0.0 <= found["coverage_90"] <= 1.0
    same = make_trainer(seed=9).evaluate(episodes=16, steps=2, seed=5, verbose=0, return_dict=False)
    assert same == list(found.values())  # the seed of training has no say
    other = trainer.evaluate(episodes=16, steps=2, seed=6, verbose=0)
    assert other["inference"] != found["inference"]
    assert capsys.readouterr().out == ""
    for a, b in zip(trainer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_held_out_inference_falls_with_training(make_model):
    task = ConjugateNormal()
    trainer = Trainer(make_model(task), task)
    recipe = Recipe(warmup_steps=80, joint_steps=0, warmup_batch=32, learning_rate=5e-3)
    trainer.compile(recipe=dataclasses.replace(recipe, pool=8, candidates_per_step=1), seed=1)
    before = trainer.evaluate(verbose=0)["inference"]
    trainer.fit(steps_per_epoch=80, verbose=0)
    assert trainer.evaluate(verbose=0)["inference"] < before - 0.1


@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize("optimizer", ["sgd", keras.optimizers.Adam(1e-3)], ids=["name", "object"])
def test_any_optimizer_trains(make_trainer, optimizer):
    trainer = make_trainer(optimizer=optimizer)
    assert isinstance(trainer.optimizer, (keras.optimizers.SGD, keras.optimizers.Adam))
    with pytest.warns(UserWarning, match=r"into the joint phase.*step 1 of \d+ warm-up steps"):
        history = trainer.fit(epochs=1, steps_per_epoch=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_a_recipe_given_first_still_compiles_with_a_warning(make_trainer):
    trainer = make_trainer()
    with pytest.warns(DeprecationWarning, match="compile\\(recipe=recipe\\)"):
        trainer.compile(RECIPE, seed=4)
    assert trainer.recipe == RECIPE
    assert isinstance(trainer.optimizer, keras.optimizers.AdamW)


@pytest.fixture(scope="module")
def refusing(make_trainer):
    """A trainer that is asked for nothing it does."""
    return make_trainer()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.fit([1.0]), r"Expected fit\(epochs=.*own episodes. Received: list"),
        (lambda t: t.fit(x=[1.0], y=[1.0]), r"own episodes. Received: x, y"),
        (lambda t: t.fit(validation_data=([1], [1])), r"Received: validation_data"),
        (lambda t: t.fit(epochs=0), r"epochs of 1 or more. Received: epochs=0"),
        (lambda t: t.fit(steps_per_epoch=0), r"steps_per_epoch=0"),
        (lambda t: t.evaluate([1.0]), r"Expected evaluate\(episodes=.*Received: list"),
        (lambda t: t.evaluate(batch_size=3), r"Received: batch_size"),
        (lambda t: t.evaluate(episodes=0), r"episodes of 1 or more. Received: episodes=0"),
        (lambda t: t.evaluate(runs=3), r"Received: runs"),
        (lambda t: t.compile(loss="mse"), r"Expected no loss.*Received: loss='mse'"),
        (lambda t: t.compile(recipe={"pool": 3}), r"recipe as a Recipe"),
        (lambda t: t.compile(seed=0.5), r"seed as a whole number. Received: seed=0.5"),
        (lambda t: t.compile(jit_compile="yes"), r"jit_compile as True, False or 'auto'"),
        (lambda t: t.fit(steps_per_epoch=None), r"steps_per_epoch=None"),
        (lambda t: t.fit(callbacks=3), r"callbacks as instances.*Received: 3"),
        (lambda t: t.fit(callbacks=[keras.callbacks.EarlyStopping]), r"callbacks as instances"),
        (lambda t: t.evaluate(seed="1"), r"seed as a whole number. Received: seed='1'"),
        (lambda t: t.evaluate(seed=1.5), r"seed as a whole number. Received: seed=1.5"),
        (lambda t: t.evaluate(task=Psychometric), r"Expected task as a task"),
    ],
)
def test_what_keras_users_try_by_habit_is_answered_in_one_sentence(refusing, call, message):
    with pytest.raises(ValueError, match=message):
        call(refusing)


def test_before_compile_it_says_so(make_model):
    trainer = Trainer(make_model(COIN), COIN)
    for call in (trainer.fit, trainer.evaluate):
        with pytest.raises(ValueError, match=r"Expected compile\(\) before"):
            call()


def test_building_a_trainer_has_no_hidden_effect(make_model, monkeypatch):
    kept = []
    monkeypatch.setattr("aline_tf.runtime.malloc.keep_memory", lambda: kept.append(True))
    Trainer(make_model(COIN), COIN)
    assert not kept


def test_a_recipe_that_cannot_train_the_task_is_refused(make_trainer):
    with pytest.raises(ValueError, match="horizon=3, pool=2"):
        make_trainer(dataclasses.replace(RECIPE, pool=2, candidates_per_step=2))
