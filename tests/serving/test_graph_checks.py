"""A served graph refuses nonsense by itself, in one sentence, and reads nothing that is masked."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from aline_tf.serving.graph import checks
from aline_tf.serving.graph.signature_functions import SignatureFunctions
from aline_tf.serving.limits import Limits
from aline_tf.serving.signatures import SIGNATURES, counts

NAN, INFINITY = np.float32("nan"), np.float32("inf")


@pytest.fixture(scope="module")
def step(tiny_models, unchecked):
    return unchecked(tiny_models / "tiny" / "1", "step")


@pytest.fixture
def batch(tiny_batch):
    """Two rows of which everything is shown, selected, allowed and observed."""
    batch = tiny_batch(2, 4)
    for name in ("context_mask", "theta_mask", "target_mask", "candidate_mask"):
        batch[name] = np.ones_like(batch[name])
    return batch | {"context_status": np.ones_like(batch["context_status"])}


def put(batch, name, place, value):
    changed = batch[name].copy()
    changed[place] = value
    return batch | {name: changed}


def wrong(batch):
    """Requests that are refused, and a part of the sentence."""
    known = put(batch, "known_mask", (1, 0), True)
    status, wide = batch["context_status"], np.zeros([2, 20000, 3], np.float32)
    return {
        "candidate NaN": (
            put(batch, "candidate_design", (1, 2, 0), NAN),
            "expected finite numbers in candidate_design where candidate_mask is True; received "
            "[nan], the first of 1 such, in place [1 2 0]",
        ),
        "candidate infinite": (
            put(batch, "candidate_design", (0, 0), -INFINITY),
            "received [-inf], the first of 3 such",
        ),
        "context design": (
            put(batch, "context_design", (0, 1, 0), NAN),
            "in context_design where context_mask is True; received [nan]",
        ),
        "target design": (
            put(batch, "target_design", (0, 1, 0), INFINITY),
            "in target_design where target_mask is True; received [inf]",
        ),
        "observed outcome": (
            put(batch, "context_outcome", (1, 3, 1), NAN),
            "in context_outcome where context_status is 1 (observed); received [nan]",
        ),
        "known parameter": (
            put(known, "known_theta", (1, 0), NAN),
            "in known_theta where known_mask is True; received [nan]",
        ),
        "status": (
            put(batch, "context_status", (0, 0, 0), 3),
            "expected context_status of 0 (missing), 1 (observed) or 2 (no answer); received [3]",
        ),
        "negative status": (batch | {"context_status": status - 2}, "received [-1]"),
        "one design for three": (
            batch | {"candidate_design": batch["candidate_design"][..., :1]},
            "expected candidate_design of shape [B, N, 3]; received shape [2 7 1]",
        ),
        "one field for two": (
            batch | {"context_outcome": batch["context_outcome"][..., :1]},
            "expected context_outcome of shape [B, C, 2]; received shape [2 4 1]",
        ),
        "one parameter for four": (
            batch | {"known_theta": batch["known_theta"][:, :1]},
            "expected known_theta of shape [B, 4]; received shape [2 1]",
        ),
        "rank": (
            batch | {"context_mask": batch["context_mask"][..., None]},
            "expected context_mask of shape [B, C]; received shape [2 4 1]",
        ),
        "one row for two": (
            batch | {"context_mask": batch["context_mask"][:1]},
            "expected one size B (batch rows) of ",
        ),
        "one candidate for seven": (
            batch | {"candidate_mask": batch["candidate_mask"][:, :1]},
            "expected one size N (candidates) of candidate_design, candidate_mask; received",
        ),
        "too many candidates": (
            batch | {"candidate_design": wide, "candidate_mask": np.zeros([2, 20000], bool)},
            "expected at most 16384 candidates (N); received 20000",
        ),
        "too many pairs": (
            {
                name: np.tile(array, [2000, 9 if "candidate" in name else 1, 1][: array.ndim])
                for name, array in batch.items()
            },
            f"that read each other, of at most 4194304; received {4000 * 16 * (9 + 63)}",
        ),
    }


NAMES = list(wrong({name: np.ones([2, 4, 3]) for name in SIGNATURES["step"]} | {}))


@pytest.mark.parametrize("name", NAMES)
def test_nonsense_is_refused_by_the_graph(step, batch, name):
    request, sentence = wrong(batch)[name]
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        step(request)
    assert f"{sentence}" in caught.value.message


@pytest.mark.parametrize("name", NAMES)
def test_and_by_the_server_with_the_sentence_alone(tiny_server, batch, name):
    arrays, sentence = wrong(batch)[name]
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "tiny"
    for key, array in arrays.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(array))
    with grpc.insecure_channel(tiny_server.target) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Predict(request, timeout=30)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    details = caught.value.details()
    assert details.startswith("expected ") and "; received " in details
    assert "[[" not in details and "\n" not in details
    if "shape" not in sentence and "one size" not in sentence:
        assert sentence in details


@pytest.mark.parametrize("signature", ["predict", "answer"])
def test_what_is_not_read_may_be_anything(tiny_models, unchecked, batch, signature):
    hidden = put(batch, "context_mask", (0, 1), False)
    hidden = put(hidden, "context_status", (1, 2), [0, 2])
    hidden = put(hidden, "candidate_mask", (1, 3), False)
    hidden = put(hidden, "target_mask", (0, 0), False)
    hidden = put(hidden, "known_mask", (0, 0), False)
    nonsense = put(hidden, "context_design", (0, 1), NAN)
    nonsense = put(nonsense, "context_outcome", (0, 1), INFINITY)
    nonsense = put(nonsense, "context_status", (0, 1), 77)
    nonsense = put(nonsense, "context_outcome", (1, 2), NAN)
    nonsense = put(nonsense, "candidate_design", (1, 3), NAN)
    nonsense = put(nonsense, "known_theta", (0, 0), NAN)
    if signature != "predict":
        nonsense = put(nonsense, "target_design", (0, 0), NAN)
    run = unchecked(tiny_models / "tiny" / "1", signature)
    expected, found = run(hidden), run(nonsense)
    for name, array in expected.items():
        if name in ("mean", "sd", "quantiles") and signature != "predict":
            # What happens at a design that is none is not made up.
            assert np.isnan(found[name][0, 0]).all()
            array = put(expected, name, (0, 0), NAN)[name]
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_every_target_of_predict_is_read(tiny_models, unchecked, batch):
    run = unchecked(tiny_models / "tiny" / "1", "predict")
    with pytest.raises(tf.errors.InvalidArgumentError, match="finite numbers in target_design;"):
        run(put(batch, "target_design", (1, 0, 0), NAN))


def test_numbers_that_the_model_made_nan_are_refused():
    sound, broken = tf.zeros([1, 2]), tf.constant([[0.0, NAN]])
    assert checks.refuse(checks.finite_outputs({"theta_raw": sound, "target_raw": sound}))
    with pytest.raises(tf.errors.InvalidArgumentError, match="that its target_raw is not finite"):
        checks.refuse(checks.finite_outputs({"theta_raw": sound, "target_raw": broken}))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([5, 4], "expected context_count from 0 to 4; received [5 4]"),
        ([4, -2], "expected context_count from 0 to 4; received [4 -2]"),
        ([4], "expected context_count of one number for each row; received 1"),
        ([4, 4, 4], "expected context_count of one number for each row; received 3"),
        ([4, -1], "expected context_count in every request where a server merges requests"),
    ],
)
def test_counts_that_cannot_be_meant(step, batch, given, sentence):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        step(batch | {"context_count": np.array(given, np.int32)})
    assert sentence in caught.value.message


def test_a_place_beyond_the_count_is_masked_out(step, batch):
    numbers = {"context_count": [1, 4], "target_count": [2, 3], "candidate_count": [7, 3]}
    masked = dict(batch)
    for name, mask in zip(counts("step"), ("context", "target", "candidate"), strict=True):
        within = np.arange(batch[f"{mask}_mask"].shape[1]) < np.array(numbers[name])[:, None]
        masked[f"{mask}_mask"] = within
    expected = step(masked)
    found = step(batch | {name: np.array(x, np.int32) for name, x in numbers.items()})
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_limits_are_those_of_the_export(tiny_model, batch):
    infer = SignatureFunctions(tiny_model, Limits(C=3, pairs=700)).signature("infer")

    def run(batch):
        inputs = {name: tf.constant(batch[name]) for name in SIGNATURES["infer"]}
        return infer(**inputs)

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"at most 3 context tokens \(C\)"):
        run(batch)
    small = {name: x[:, :3] if name.startswith("context") else x for name, x in batch.items()}
    assert run(small)["theta_mean"].shape == (2, 4)
    many = {name: np.repeat(x, 4, axis=0) for name, x in small.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match="of at most 700; received 768"):
        run(many)
