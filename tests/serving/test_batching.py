"""Requests that a server merges are answered as if each had come alone.

TensorFlow Serving joins requests along their first axis. Where their other sizes differ it fills
each tensor up with that tensor's own first element, and gives every request its rows of the
outputs back, as long as they have become (tensorflow_serving/batching: batching_util.cc,
`PadTensor`, and batching_session.cc, `MergeInputTensors`, `SplitOutputTensors`).
"""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

from aline_tf.models.aline import ALINE
from aline_tf.models.packaged_presets import packaged_presets, preset_spec
from aline_tf.serving.completion import complete_inputs, never_empty
from aline_tf.serving.graph.signature_functions import SignatureFunctions
from aline_tf.serving.limits import Limits
from aline_tf.serving.signatures import OUTPUTS_BY_PLACE, SIGNATURES, counts
from aline_tf.spec import Channel, Parameter, TaskSpec

PARAMETERS = Path(__file__).resolve().parents[2] / "savedmodels" / "batching_parameters.txt"


def merged(requests):
    """One request of several, padded as TensorFlow Serving pads."""
    together = {}
    for name in requests[0]:
        tensors = [request[name] for request in requests]
        longest = np.max([tensor.shape[1:] for tensor in tensors], axis=0).astype(int)
        padded = []
        for tensor in tensors:
            room = [(0, want - has) for want, has in zip(longest, tensor.shape[1:], strict=True)]
            if not tensor.size and any(after for _, after in room):
                raise ValueError("Got empty tensor in batch of non-empty tensors.")
            first = tensor.flat[0] if tensor.size else 0
            padded.append(np.pad(tensor, [(0, 0), *room], constant_values=first))
        together[name] = np.concatenate(padded)
    return together


def split(outputs, requests):
    """The rows of each request, as long as they have become."""
    ends = np.cumsum([len(request["context_mask"]) for request in requests])[:-1]
    parts = {name: np.split(np.asarray(array), ends) for name, array in outputs.items()}
    return [{name: part[i] for name, part in parts.items()} for i in range(len(requests))]


def request_of(batch, signature, sizes):
    """What a client sends of a batch: nothing empty, and counts."""
    names = (*SIGNATURES[signature], *counts(signature))
    return never_empty(complete_inputs(signature, batch, names, sizes))


def assert_merging_moves_nothing(run, requests):
    together = run(merged(requests))
    for request, found in zip(requests, split(together, requests), strict=True):
        sizes = {"M": request.get("target_design"), "N": request.get("candidate_design")}
        for name, array in run(request).items():
            own, merged_array = np.asarray(array), found[name]
            if name in OUTPUTS_BY_PLACE:
                merged_array = merged_array[:, : sizes[OUTPUTS_BY_PLACE[name]].shape[1]]
            np.testing.assert_allclose(merged_array, own, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("signature", ["predict", "answer"])
def test_merged_requests_are_answered_as_each_alone(
    tiny_models, tiny_model, tiny_batch, unchecked, signature
):
    run = unchecked(tiny_models / "tiny" / "1", signature)
    sizes = [(1, 5, 2, 7), (2, 1, 4, 3), (1, 9, 1, 1), (1, 0, 3, 2)]
    requests = []
    for rows, context, targets, candidates in sizes:
        batch = tiny_batch(rows, context, targets, candidates)
        for name in ("context_mask", "target_mask", "candidate_mask"):
            # The padding is True.
            batch[name][:, :1] = True
        requests.append(request_of(batch, signature, tiny_model.spec.sizes))
    assert merged(requests)["context_mask"][0, 5:].all()
    assert_merging_moves_nothing(run, requests)


def test_without_counts_merged_requests_are_refused(tiny_models, tiny_batch, unchecked):
    run = unchecked(tiny_models / "tiny" / "1", "infer")
    requests = [
        {name: tiny_batch(1, size)[name] for name in SIGNATURES["infer"]} for size in (3, 6)
    ]
    for request in requests:
        request["context_mask"][:] = True
        assert np.isfinite(run(request)["theta_mean"]).all()
        # What TensorFlow Serving reads from the signature where a request has no counts.
        request["context_count"] = np.array([-1], np.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="where a server merges requests"):
        run(merged(requests))


def test_the_emulation_pads_with_the_first_element_and_refuses_what_is_empty():
    one, other = np.array([[5, 6]]), np.array([[7, 8, 9]])
    requests = [{"context_mask": x} for x in (one, other)]
    together = merged(requests)
    np.testing.assert_array_equal(together["context_mask"], [[5, 6, 5], [7, 8, 9]])
    np.testing.assert_array_equal(split(together, requests)[1]["context_mask"], [[7, 8, 9]])
    with pytest.raises(ValueError, match="Got empty tensor"):
        merged([{"context_mask": x} for x in (one, np.zeros([1, 0]))])


PLANE = TaskSpec(
    name="plane",
    design_names=("x", "y"),
    design_low=(-1.0, -1.0),
    design_high=(1.0, 1.0),
    fields=(Channel("signal"),),
    outcomes=(Channel("signal"),),
    parameters=(
        Parameter("at", low=-1.0, high=1.0, axis=0),
        Parameter("strength", "real"),
    ),
    horizon=4,
)


@pytest.mark.parametrize(
    "parts",
    [
        {"relative_position_dim": 4, "evidence_dim": 4},
        {"num_processes": 3},
        {"missing_at_random": True},
    ],
    ids=lambda parts: next(iter(parts)),
)
def test_no_part_of_a_model_reads_the_padding(parts):
    model = ALINE(PLANE, 8, num_layers=1, num_heads=2, intermediate_dim=8, components=2, **parts)
    model.build()
    answer = SignatureFunctions(model).signature("answer")
    rng = np.random.default_rng(4)
    requests = []
    for rows, context, targets, candidates in [(1, 4, 2, 5), (2, 2, 3, 3), (1, 0, 1, 6)]:
        batch = {
            "context_design": rng.uniform(-1, 1, [rows, context, 2]),
            "context_outcome": rng.normal(size=[rows, context]),
            "target_design": rng.uniform(-1, 1, [rows, targets, 2]),
            "target_mask": np.ones([rows, targets], bool),
            "candidate_design": rng.uniform(-1, 1, [rows, candidates, 2]),
        }
        requests.append(request_of(batch, "answer", PLANE.sizes))

    def run(inputs):
        return answer(**{name: tf.constant(array) for name, array in inputs.items()})

    assert_merging_moves_nothing(run, requests)


class TestParameters:
    def test_the_file_is_one_that_tensorflow_serving_reads(self):
        parameters = text_format.Parse(PARAMETERS.read_text(), batching_parameters())
        assert parameters.pad_variable_length_inputs
        assert not parameters.allowed_batch_sizes  # they would repeat rows that have no counts
        assert 1 <= parameters.max_batch_size.value <= 64
        assert parameters.batch_timeout_micros.value <= 5000
        assert parameters.num_batch_threads.value and parameters.max_enqueued_batches.value

    def test_a_usual_batch_is_within_the_limits(self):
        rows = text_format.Parse(PARAMETERS.read_text(), batching_parameters()).max_batch_size.value
        for name in packaged_presets():
            spec = preset_spec(name)
            sizes = {"B": rows, "C": spec.horizon, "M": 1, "N": 200, "P": spec.sizes["P"]}
            assert Limits().exceeded(sizes) is None


def batching_parameters():
    """An empty BatchingParameters, declared as in TensorFlow Serving's session_bundle_config.proto,
    which tensorflow-serving-api leaves out."""
    file = descriptor_pb2.FileDescriptorProto(
        name="batching.proto", package="t", dependency=["google/protobuf/wrappers.proto"]
    )
    file.syntax = "proto3"
    message = file.message_type.add(name="BatchingParameters")
    wrapped = {"max_batch_size": 1, "batch_timeout_micros": 2, "max_enqueued_batches": 3}
    wrapped |= {"num_batch_threads": 4, "thread_pool_name": 5}
    for name, number in wrapped.items():
        kind = "StringValue" if name.endswith("name") else "Int64Value"
        field = message.field.add(name=name, number=number, label=1, type=11)
        field.type_name = f".google.protobuf.{kind}"
    message.field.add(name="allowed_batch_sizes", number=6, label=3, type=3)
    message.field.add(name="pad_variable_length_inputs", number=7, label=1, type=8)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.BatchingParameters"))()
