"""What somebody types by habit of Keras works, or is answered in one sentence that says what to
type. One small run is looked at from all sides, with losses that cost nothing: what is proved is
how things are joined. A `.keras` file in a fresh process is in tests/runtime, XLA through both
phases and other callbacks are in test_trainer.py."""

import io
from contextlib import redirect_stdout

import keras
import numpy as np
import pytest
import tensorflow as tf

from aline_tf.errors import TrainingDiverged
from aline_tf.models.aline import ALINE
from aline_tf.tasks.recorded_data import RecordedDataTask
from aline_tf.training.fitting import calls
from aline_tf.training.fitting.progress import TrainingProgress
from aline_tf.training.fitting.run_time import StepTimes, in_words
from aline_tf.training.fitting.validation import held_out_validation
from aline_tf.training.held_out import HELD_OUT_METRICS
from aline_tf.training.recipe import Recipe
from aline_tf.training.trainer import Trainer
from tests.training.small_tasks import Coin

RECIPE = Recipe(warmup_batch=4, warmup_steps=2, joint_steps=0, pool=4, candidates_per_step=3)


def sum_of_squares(model, *_):
    """A loss of the weights alone: a step of SGD takes each to 1 - 2 rate of itself."""
    loss = tf.add_n([tf.reduce_sum(tf.square(weight)) for weight in model.trainable_variables])
    return loss, {"inference": loss}


def figures(model, *_):
    return dict.fromkeys(HELD_OUT_METRICS, sum_of_squares(model)[0])


@pytest.fixture(scope="module", autouse=True)
def cheap_losses():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aline_tf.training.trainer.warmup_loss", sum_of_squares)
        patch.setattr("aline_tf.training.trainer.held_out_figures", figures)
        patch.setattr("aline_tf.training.trainer.check_contract", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def run(make_model, tmp_path_factory):
    """(trainer, history, callbacks, printed, directory) of a run with everything hung onto it."""
    out = tmp_path_factory.mktemp("run")
    trainer = Trainer(make_model(Coin()), Coin())
    trainer.compile("adam", recipe=RECIPE, seed=1)
    callbacks = {
        "stopping": keras.callbacks.EarlyStopping(patience=5),
        "whole": keras.callbacks.ModelCheckpoint(str(out / "best.keras"), save_best_only=True),
        "weights": keras.callbacks.ModelCheckpoint(
            str(out / "last.weights.h5"), save_weights_only=True
        ),
        "backup": keras.callbacks.BackupAndRestore(
            str(out / "backup"), double_checkpoint=True, delete_checkpoint=False
        ),
    }
    with redirect_stdout(io.StringIO()) as printed:
        history = trainer.fit(
            steps_per_epoch=1,
            verbose=2,
            callbacks=list(callbacks.values()),
            validation_episodes=8,
        )
    return trainer, history.history, callbacks, printed.getvalue(), out


@pytest.fixture
def trainer(run):
    return run[0]


@pytest.fixture
def own_trainer(make_model):
    """A function (optimizer, model settings) -> a compiled trainer nobody else has."""

    def make(optimizer=None, **settings):
        trainer = Trainer(make_model(Coin(), **settings), Coin())
        trainer.compile(optimizer or keras.optimizers.SGD(0.1), recipe=RECIPE, seed=1)
        return trainer

    return make


def moved(weights, before):
    """Paths of the weights that are no longer what they were."""
    pairs = zip(weights, before, strict=True)
    return {weight.path for weight, old in pairs if np.abs(weight.numpy() - old).max() > 0}


def test_an_optimizer_is_given_by_name(trainer):
    assert isinstance(trainer.optimizer, keras.optimizers.Adam)


def test_validation_is_what_evaluate_says_and_callbacks_go_by_it(run):
    trainer, history, callbacks, _, _ = run
    found = trainer.evaluate(episodes=8, verbose=0)
    for name, value in found.items():
        assert len(history[f"val_{name}"]) == 2
        np.testing.assert_allclose(history[f"val_{name}"][-1], value, rtol=1e-6)
    assert callbacks["stopping"].best == min(history["val_loss"])
    assert callbacks["whole"].best == min(history["val_loss"])


def test_both_kinds_of_files_of_a_model_checkpoint_are_read_again(run, own_trainer):
    trainer, history, _, _, out = run
    assert history["val_loss"][1] < history["val_loss"][0]  # so that the best is the last
    loaded = keras.models.load_model(out / "best.keras")
    other = own_trainer("adam")
    other.model.set_weights([0.0 * weight for weight in other.model.get_weights()])
    other.load_weights(out / "last.weights.h5")
    for model in (loaded, other.model):
        for a, b in zip(model.get_weights(), trainer.model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert int(other.optimizer.iterations.numpy()) == 2


def test_of_a_double_checkpoint_the_first_serves_where_the_last_is_damaged(run, own_trainer):
    trainer, directory = own_trainer("adam"), run[4] / "backup"
    (directory / "latest.weights.h5").write_bytes(b"cut off")
    backup = keras.callbacks.BackupAndRestore(str(directory), double_checkpoint=True)
    backup.set_model(trainer)
    backup.on_train_begin()
    assert trainer._initial_epoch == 1
    assert int(trainer.optimizer.iterations.numpy()) == 1


def test_the_time_is_said_before_the_first_step_and_after_every_epoch(run):
    head, epoch, *rest = run[3].splitlines()
    assert head.startswith("coin: 2 warm-up steps of 4 episodes, about ")
    assert epoch == "Epoch 1/2"
    left = next(line for line in rest if line.startswith("about "))
    assert left.endswith(" left") and rest[rest.index(left) + 1] == "Epoch 2/2"


def test_what_is_left_follows_the_steps_that_were_taken():
    class Stub:
        model = task = None
        recipe = Recipe(warmup_steps=4, joint_steps=4)
        optimizer = keras.optimizers.SGD()

    now, step = [0.0], Stub.optimizer.iterations
    progress = TrainingProgress(lambda: now[0], lambda *_: StepTimes(warmup=1.0, joint=5.0))
    progress.set_model(Stub())
    progress.set_params({"epochs": 4, "steps": 2})
    progress.on_train_begin()
    for done, seconds in ((1, 60.0), (2, 62.0), (3, 64.0)):
        step.assign(done)
        now[0] = seconds
        progress.on_train_batch_end(done)
    # The minute of compiling is no step; a step took twice what was estimated.
    assert progress.times == StepTimes(warmup=2.0, joint=10.0)
    step.assign(4)
    assert progress.seconds_left(epoch=2) == 4 * 10.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (40, "40 s"), (720, "12 min"), (12100, "3 h 20 min"), (180000, "50 h")],
)
def test_durations_are_said_in_words(seconds, words):
    assert in_words(seconds) == words


def test_names_of_layers_and_weights_are_the_same_in_every_model(trainer, own_trainer):
    other = own_trainer().model
    names = [[layer.name for layer in model.layers] for model in (trainer.model, other)]
    assert names[0] == names[1] and len(set(names[0])) == len(names[0])
    paths = [[w.path.partition("/")[2] for w in model.weights] for model in (trainer.model, other)]
    assert paths[0] == paths[1] and len(set(paths[0])) == len(paths[0])


def test_a_layer_frozen_after_compile_is_not_trained_on_in_silence(own_trainer):
    trainer = own_trainer()
    trainer.model.embedder.trainable = False
    with pytest.raises(ValueError, match=r"compile\(\) again after layers were frozen"):
        trainer.fit(epochs=1, steps_per_epoch=1, verbose=0)
    trainer.compile("sgd", recipe=RECIPE)
    before = [weight.numpy() for weight in trainer.model.weights]
    trainer.train_step(None)
    changed = moved(trainer.model.weights, before)
    assert changed and not any("/embedder/" in path for path in changed)
    trainer.model.trainable = False
    with pytest.raises(ValueError, match=r"weights to train\. Received: a model that is frozen"):
        trainer.fit(epochs=1, steps_per_epoch=1, verbose=0)


def test_lora_trains_thin_matrices_alone_and_a_preset_holds_the_sum(own_trainer, tmp_path):
    trainer = own_trainer()
    model = trainer.model
    model.enable_lora(rank=1)
    with pytest.raises(ValueError, match=r"or given LoRA"):
        trainer.fit(epochs=1, steps_per_epoch=1, verbose=0)
    trainer.compile(keras.optimizers.SGD(0.1), recipe=RECIPE)
    before = [weight.numpy() for weight in model.weights]
    trainer.train_step(None)
    changed = moved(model.weights, before)
    assert changed and all("lora" in path or path.endswith("bias") for path in changed)
    adapted = [layer for layer in model._flatten_layers() if getattr(layer, "lora_enabled", False)]
    assert {layer.name for layer in adapted} == {"query", "key_value"}
    for layer in adapted:
        layer.lora_kernel_b.assign(tf.ones_like(layer.lora_kernel_b))
    model.save_to_preset(tmp_path / "preset")
    loaded = ALINE.from_preset(tmp_path / "preset")
    for layer, name in ((layer, layer.name) for layer in adapted):
        (other,) = (each for each in loaded._flatten_layers() if each.name == name)
        np.testing.assert_allclose(other.kernel, layer.kernel, rtol=1e-5, atol=1e-6)


def test_half_precision_takes_the_same_step(own_trainer):
    """The optimiser divides gradients by 2^15: they must be those of a loss that many times as
    large."""
    trainer = own_trainer(dtype="mixed_float16")
    assert isinstance(trainer.optimizer, keras.optimizers.LossScaleOptimizer)
    before = trainer.model.get_weights()
    trainer.train_step(None)
    for now, old in zip(trainer.model.get_weights(), before, strict=True):
        np.testing.assert_allclose(now, 0.8 * old, rtol=1e-3, atol=1e-6)


def test_half_precision_that_takes_no_step_ends_the_run(own_trainer, monkeypatch):
    """The optimiser passes over gradients that are not finite: of these there are no others."""

    def root_of_nothing(model, *_):
        first, *_ = model.trainable_variables
        return 1.0 + tf.sqrt(0.0 * tf.reduce_sum(first)), {}

    trainer = own_trainer(dtype="mixed_float16")
    monkeypatch.setattr("aline_tf.training.trainer.warmup_loss", root_of_nothing)
    with pytest.raises(TrainingDiverged, match=r"gradients that are not finite.*at step 0"):
        trainer.fit(epochs=1, steps_per_epoch=100, verbose=0)


def test_fit_goes_to_the_end_of_the_recipe_from_whichever_epoch(own_trainer):
    trainer = own_trainer()
    assert trainer.fit(steps_per_epoch=1, initial_epoch=3, verbose=0).epoch == [3, 4]
    with pytest.warns(UserWarning, match="steps of the recipe that are left. Received: 2 of 2"):
        assert trainer.fit(steps_per_epoch=1, verbose=0).epoch == [0]


def test_an_end_before_the_policy_learns_anything_is_warned_of():
    recipe = Recipe(warmup_steps=10, joint_steps=5)
    with pytest.warns(UserWarning, match=r"into the joint phase.*step 9 of 10 warm-up steps"):
        calls.warn_of_phases(recipe, 0, 9, to_the_end=False)
    # The whole warm-up, and nothing more, is what somebody means.
    calls.warn_of_phases(recipe, 0, 10, to_the_end=False)
    calls.warn_of_phases(recipe, 15, 20, to_the_end=False)


class Rate(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, last):
        self.last = last

    def __call__(self, step):
        return tf.where(step > 0, self.last, 0.0)


@pytest.mark.parametrize("rate", [0.0, -0.1, float("nan"), float("inf"), Rate(-1.0), Rate(0.0)])
@pytest.mark.parametrize("kind", [keras.optimizers.SGD, keras.optimizers.AdamW])
def test_an_optimizer_that_learns_nothing_or_climbs_is_refused(trainer, rate, kind):
    optimizer = kind(rate)
    for each in (optimizer, keras.optimizers.LossScaleOptimizer(optimizer)):
        with pytest.raises(ValueError, match=r"learning rate > 0. Received: learning_rate="):
            trainer.compile(each, recipe=RECIPE)
    calls.require_rate(kind(Rate(0.1)), steps=2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.fit(epochs=2, initial_epoch=2), r"initial_epoch below epochs.*=2, epochs=2"),
        (lambda t: t.fit(initial_epoch=-1), r"initial_epoch of 0 or more. Received: .*=-1"),
        (lambda t: t.fit(verbose="yes"), r"verbose as 'auto', 0, 1 or 2. Received: verbose='yes'"),
        (lambda t: t.fit(verbose=-1), r"Received: verbose=-1"),
        (lambda t: t.compile(metrics=["mae"]), r"recipe=.*fit reports loss.*validation_episodes"),
        (lambda t: t.fit(np.zeros([4, 2])), r"RecordedDataTask.*own episodes. Received: ndarray"),
        (lambda t: t.fit(x=np.zeros([4, 2])), r"Received: x$"),
        (lambda t: t.fit(tf.data.Dataset.range(3)), r"from_dataset for a tf.data"),
        (lambda t: t.fit(validation_data=tf.data.Dataset.range(3)), r"validation_data as a task"),
        (lambda t: t.fit(class_weight={0: 1.0}), r"Received: class_weight"),
        (lambda t: t.fit(validation_freq=2), r"Received: validation_freq"),
        (lambda t: t.fit(epochs=True), r"epochs of 1 or more. Received: epochs=True"),
        (lambda t: t.fit(validation_episodes=0), r"validation_episodes of 1 or more"),
        (lambda t: t.evaluate(task=3), r"Expected task as a task.*Received: task, a int"),
        (lambda t: t.train_on_batch([1.0]), r"Expected fit\(epochs=1, steps_per_epoch=1\)"),
        (lambda t: t.test_on_batch([1.0]), r"Expected evaluate\(episodes="),
        (lambda t: t.export("build/x"), r"`aline-tf export --model DIR --out build/x`"),
        (lambda t: t.model.export("build/x"), r"serving.export_model\(model, 'build/x'\)"),
        (lambda t: t.model.fit([1.0]), r"Expected Trainer\(model, task\).*Received: fit\(\)"),
        (lambda t: t.model.evaluate([1.0]), r"Received: evaluate\(\)"),
        (lambda t: t.model(np.zeros([1])), r"a batch as a dict of context_design.*Trainer\("),
        (
            lambda t: t.model({"theta": np.zeros([1])}),
            r"expected context_design in the batch; received theta",
        ),
        (lambda t: t.model.enable_lora(0), r"rank of 1 or more"),
        (lambda t: t.model.enable_lora(1, layers=["attention"]), r"layers among .*query"),
    ],
)
def test_what_cannot_work_says_what_to_type(trainer, call, message):
    with pytest.raises(ValueError, match=message):
        call(trainer)


def dataset(subjects, keys=("design", "outcome")):
    rng = np.random.default_rng(0)
    elements = [
        {"design": rng.uniform(-1, 1, (n, 1)), "outcome": rng.integers(0, 2, (n, 1)).astype(float)}
        for n in subjects
    ]
    return [{key: element[key] for key in keys} for element in elements]


def test_a_tf_data_dataset_of_recorded_subjects_is_a_task():
    from dataclasses import replace

    spec, elements = replace(Coin.spec, parameters=()), dataset([5, 7, 6])
    signature = {name: tf.TensorSpec([None, 1], tf.float64) for name in elements[0]}
    data = tf.data.Dataset.from_generator(lambda: iter(elements), output_signature=signature)
    task = RecordedDataTask.from_dataset(spec, data)
    assert task.exists.sum(axis=1).tolist() == [5, 7, 6]
    np.testing.assert_allclose(task.outcomes[0, :5], elements[0]["outcome"])
    for wrong, message in (
        (data.repeat(), "a dataset that ends"),
        (data.padded_batch(3), r"unbatch\(\)"),
        (data.take(0), "at least one subject"),
        (dataset([5], ["design"]), "dicts of design, outcome in the dataset; received .'design'."),
    ):
        with pytest.raises(ValueError, match=message):
            RecordedDataTask.from_dataset(spec, wrong)


def test_validation_on_the_subjects_that_are_trained_on_is_warned_of():
    from dataclasses import replace

    spec = replace(Coin.spec, parameters=())
    task = RecordedDataTask.from_dataset(spec, dataset([5, 7, 6]))
    with pytest.warns(UserWarning, match="validation_data of other subjects"):
        held_out_validation(task, 8)
    (validation,) = held_out_validation(task, None, task.split(0.4)[1])
    assert (validation.task.subjects, validation.episodes) == (1, 256)
