"""The network as a Keras model: contract, sizes, finiteness, and what is masked."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from aline_tf.batch import empty_batch
from aline_tf.models.aline import ALINE
from aline_tf.spec import TaskSpec
from aline_tf.tasks.psychometric import Psychometric
from tests.models.batches import EVERY_KIND, SIZES, padded, random_batch
from tests.models.layer_harness import check_layer

PARAMETERS, RAW = 4, 3 * 3 + 1


@pytest.mark.parametrize("relation", [0, 4])
def test_layer_contract(relation):
    check_layer(
        lambda **kwargs: ALINE(EVERY_KIND, **SIZES, relative_position_dim=relation, **kwargs),
        {"batch": random_batch(1)},
        None,
    )


def test_fit_trains_it_like_any_keras_model(network):
    """The model alone under compile / fit, with a loss on every output: no weight is left out."""
    model = ALINE(EVERY_KIND, **SIZES)
    model.build()
    batch = random_batch(1)
    # The score of a masked candidate is a constant, and a large one.
    batch["candidate_mask"] = np.ones_like(batch["candidate_mask"])
    labels = {name: np.zeros(raw.shape, np.float32) for name, raw in model(batch).items()}
    assert labels["theta_raw"].shape == (3, PARAMETERS, RAW)
    model.compile(optimizer="sgd", loss=dict.fromkeys(labels, "mse"))
    history = model.fit(batch, labels, epochs=2, batch_size=3, verbose=0)
    first, second = history.history["loss"]
    assert second < first


def test_keras_file_round_trip(network, tmp_path):
    path = tmp_path / "aline.keras"
    network.save(path)
    loaded = keras.saving.load_model(path)
    assert isinstance(loaded, ALINE)
    assert loaded.spec == network.spec
    batch = random_batch(2)
    for a, b in zip(tf.nest.flatten(network(batch)), tf.nest.flatten(loaded(batch)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_task_description_may_be_a_dict(network):
    again = ALINE(**{**SIZES, "spec": EVERY_KIND.to_dict()})
    assert isinstance(again.spec, TaskSpec)
    assert again.spec == EVERY_KIND


@pytest.mark.parametrize("spec", [None, "psychometric", Psychometric(), Psychometric])
def test_a_specification_is_one_or_its_dict(spec):
    with pytest.raises(ValueError, match=r"Expected spec as a TaskSpec, such as task.spec"):
        ALINE(spec)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("num_layers", [-1, 1.0, "1", True, None]),
        ("num_heads", [0, 2.0]),
        ("hidden_dim", [0, 32.0, None]),
        ("intermediate_dim", [0, "a"]),
        ("components", [0, True]),
        ("relative_position_dim", [-1, 2.5]),
    ],
)
def test_a_size_is_a_whole_number(name, sizes):
    for size in sizes:
        with pytest.raises(ValueError, match=f"Expected {name} as a whole number >= .. Received"):
            ALINE(EVERY_KIND, **SIZES | {name: size})


@pytest.mark.parametrize(
    "sizes",
    [
        {"C": 0},
        {"C": 1},
        {"C": EVERY_KIND.horizon},
        {"N": 0},
        {"M": 0},
        {"B": 1, "C": 0, "M": 0, "N": 0},
        {"B": 7, "C": 60, "M": 9, "N": 40},
    ],
    ids=str,
)
def test_every_size_answers_with_finite_numbers(answer, sizes):
    batch = random_batch(3, **sizes)
    full = {"B": 3, "C": 4, "M": 3, "N": 5} | sizes
    outputs = answer(batch)
    assert outputs["theta_raw"].shape == (full["B"], PARAMETERS, RAW)
    assert outputs["target_raw"].shape == (full["B"], full["M"], RAW + 3)
    assert outputs["candidate_logits"].shape == (full["B"], full["N"])
    for value in outputs.values():
        assert np.isfinite(value).all()


def test_nothing_known_and_nothing_asked_is_finite(answer):
    outputs = answer(empty_batch(EVERY_KIND.sizes | {"N": 3, "M": 2}))
    for value in outputs.values():
        assert np.isfinite(value).all()


@pytest.mark.parametrize("size", [0, 1, EVERY_KIND.horizon])
def test_densities_summaries_and_gradients_are_finite(network, size):
    batch = random_batch(4, C=size)
    theta = np.array([[0.5, 4.0, 1.0, 0.0]] * 3, np.float32)
    with tf.GradientTape() as tape:
        outputs = network(batch)
        log_prob = network.theta_log_prob(outputs, theta)
        target = network.target_log_prob(outputs, batch, np.ones([3, 3], np.float32))
        log_policy = tf.nn.log_softmax(outputs["candidate_logits"])
        loss = tf.reduce_sum(log_prob) + tf.reduce_sum(target) + tf.reduce_sum(log_policy)
    gradients = tape.gradient(loss, [v.value for v in network.trainable_variables])
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    summary = network.theta_summary(outputs)
    assert summary["quantiles"].shape == (3, PARAMETERS, 5)
    prediction = network.target_summary(outputs, batch)
    assert prediction["quantiles"].shape == (3, 3, 5)
    for value in [*summary.values(), *prediction.values()]:
        assert np.isfinite(value).all()
    assert len(network.theta_distributions(outputs)) == PARAMETERS


def test_a_masked_candidate_is_never_the_best_nor_ever_drawn(answer):
    batch = random_batch(5, B=200)
    rng = np.random.default_rng(6)
    batch["candidate_mask"] = rng.uniform(size=[200, 5]) < 0.4
    batch["candidate_mask"][np.arange(200), rng.integers(5, size=200)] = True
    logits = answer(batch)["candidate_logits"]
    assert batch["candidate_mask"][np.arange(200), logits.argmax(axis=1)].all()
    probability = tf.nn.softmax(logits).numpy()
    assert (probability[~batch["candidate_mask"]] == 0.0).all()


def test_padding_of_every_kind_is_invisible(answer):
    batch = random_batch(7)
    expected = answer(batch)
    for fill in (0.0, 1e3, -1e30, np.nan, np.inf):
        wider = answer(padded(batch, fill, C=6, N=3, M=2))
        np.testing.assert_allclose(wider["theta_raw"], expected["theta_raw"], atol=1e-5)
        np.testing.assert_allclose(wider["target_raw"][:, :3], expected["target_raw"], atol=1e-5)
        np.testing.assert_allclose(
            wider["candidate_logits"][:, :5], expected["candidate_logits"], atol=1e-5
        )
        assert (wider["candidate_logits"][:, 5:] <= -1e8).all()


def test_padding_may_stand_anywhere_in_the_context(answer):
    batch = random_batch(8, C=6)
    batch["context_mask"][:, [0, 3]] = False
    kept = dict(batch)
    for name in ("context_design", "context_outcome", "context_status", "context_mask"):
        kept[name] = batch[name][:, [1, 2, 4, 5]]
    for name, value in answer(kept).items():
        np.testing.assert_allclose(answer(batch)[name], value, atol=1e-5)


def test_gradients_survive_nan_in_padding(network):
    batch = padded(random_batch(9), np.nan, C=3, N=2)
    with tf.GradientTape() as tape:
        outputs = network(batch)
        loss = sum(tf.reduce_sum(tf.maximum(value, -50.0)) for value in outputs.values())
    gradients = tape.gradient(loss, [v.value for v in network.trainable_variables])
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_the_order_of_the_context_does_not_matter(answer):
    batch = random_batch(10, C=9)
    order = np.random.default_rng(11).permutation(9)
    shuffled = dict(batch)
    for name in ("context_design", "context_outcome", "context_status", "context_mask"):
        shuffled[name] = batch[name][:, order]
    expected = answer(batch)
    for name, value in answer(shuffled).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-5)


def test_a_target_selection_moves_the_policy_of_its_own_row_only(answer):
    batch = random_batch(12)
    before = answer(batch)
    other = dict(batch, theta_mask=batch["theta_mask"].copy())
    other["theta_mask"][1] = ~other["theta_mask"][1]
    after = answer(other)
    np.testing.assert_array_equal(after["theta_raw"], before["theta_raw"])
    np.testing.assert_array_equal(after["target_raw"], before["target_raw"])
    moved = np.abs(after["candidate_logits"] - before["candidate_logits"]).max(axis=1)
    assert moved[1] > 1e-4
    np.testing.assert_allclose(moved[[0, 2]], 0.0, atol=1e-6)


def test_a_selected_prediction_moves_the_policy_too(answer):
    batch = random_batch(13)
    other = dict(batch, target_mask=~batch["target_mask"])
    before, after = answer(batch), answer(other)
    np.testing.assert_array_equal(after["target_raw"], before["target_raw"])
    assert np.abs(after["candidate_logits"] - before["candidate_logits"]).max() > 1e-4


def test_candidates_do_not_see_each_other(answer):
    batch = random_batch(14)
    alone = dict(batch)
    for name in ("candidate_design", "candidate_mask"):
        alone[name] = batch[name][:, 2:3]
    np.testing.assert_allclose(
        answer(alone)["candidate_logits"][:, 0], answer(batch)["candidate_logits"][:, 2], atol=1e-5
    )


def test_rows_do_not_see_each_other(answer):
    batch = random_batch(15)
    expected = answer(batch)
    for row in range(3):
        alone = answer({name: value[row : row + 1] for name, value in batch.items()})
        for name in alone:
            np.testing.assert_allclose(alone[name][0], expected[name][row], atol=1e-5)


def test_a_known_parameter_is_read_only_when_it_is_given(answer):
    batch = random_batch(16)
    batch["known_mask"][:] = [True, False, False, False]
    before = answer(batch)["theta_raw"]
    hidden = dict(batch, known_theta=batch["known_theta"].copy())
    hidden["known_theta"][:, 1:] = np.nan
    np.testing.assert_array_equal(answer(hidden)["theta_raw"], before)
    hidden["known_theta"][:, 0] += 1.0
    assert np.abs(answer(hidden)["theta_raw"] - before).max() > 1e-4


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int32"])
def test_weights_in_half_precision_would_not_learn_and_are_refused(dtype):
    with pytest.raises(ValueError, match=f"not in half precision.*Received: dtype='{dtype}'"):
        ALINE(EVERY_KIND, dtype=dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        with pytest.raises(ValueError, match=f"Received: dtype='{dtype}'"):
            ALINE(EVERY_KIND)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("dtype", ["float32", "float64", "mixed_float16", "mixed_bfloat16"])
def test_other_precisions_are_taken(dtype):
    assert ALINE(EVERY_KIND, dtype=dtype).dtype_policy.name == dtype
