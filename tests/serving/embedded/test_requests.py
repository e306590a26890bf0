"""Requests are checked against their signature before the model runs."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from aline_tf.errors import InputError
from aline_tf.serving.embedded.requests import (
    MOST_ELEMENTS,
    decode_inputs,
    encode_output,
    expected_inputs,
    selected_outputs,
)

DESIGN = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
MASK = np.ones([2, 3], bool)


@pytest.fixture
def signature():
    inputs = {}
    for name, dtype, dims in (
        ("context_design", tf.float32, [-1, -1, 2]),
        ("context_mask", tf.bool, [-1, -1]),
    ):
        info = meta_graph_pb2.TensorInfo(dtype=dtype.as_datatype_enum)
        for size in dims:
            info.tensor_shape.dim.add(size=size)
        inputs[name] = info
    return expected_inputs(inputs)


def request(**changes):
    arrays = {"context_design": DESIGN, "context_mask": MASK} | changes
    return {
        name: array if isinstance(array, tensor_pb2.TensorProto) else tf.make_tensor_proto(array)
        for name, array in arrays.items()
        if array is not None
    }


def bare(dtype, sizes, **fields):
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, **fields)
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


@pytest.mark.parametrize("encode", [tf.make_tensor_proto, encode_output])
def test_bytes_and_typed_values_are_both_accepted(signature, encode):
    arrays = decode_inputs(
        request(context_design=encode(DESIGN), context_mask=encode(MASK)), signature
    )
    np.testing.assert_array_equal(arrays["context_design"], DESIGN)
    np.testing.assert_array_equal(arrays["context_mask"], MASK)


def test_empty_tensors_are_accepted(signature):
    design, mask = np.zeros([2, 0, 2], np.float32), np.zeros([2, 0], bool)
    arrays = decode_inputs(request(context_design=design, context_mask=mask), signature)
    assert arrays["context_design"].shape == (2, 0, 2)


def test_one_value_stands_for_all(signature):
    design = bare(tf.float32, [2, 3, 2], float_val=[4.0])
    arrays = decode_inputs(request(context_design=design), signature)
    np.testing.assert_array_equal(arrays["context_design"], np.full([2, 3, 2], 4.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"context_mask": None}, "expected inputs context_design, context_mask; .*without conte"),
        ({"extra": MASK}, "received a request with unknown 'extra'"),
        ({"context_design": DESIGN.astype(np.float64)}, "of dtype float32; received float64"),
        ({"context_design": tensor_pb2.TensorProto()}, "of dtype float32; received no dtype"),
        ({"context_design": tensor_pb2.TensorProto(dtype=999)}, "received dtype number 999"),
        ({"context_design": DESIGN[0]}, r"of shape \[B, C, 2\]; received shape \[3, 2\]"),
        ({"context_design": DESIGN[..., :1]}, r"\[B, C, 2\]; received shape \[2, 3, 1\]"),
        ({"context_mask": MASK[:, :2]}, r"one size C \(context tokens\).*context_mask \[2, 2\]"),
        ({"context_mask": MASK[:1]}, r"one size B \(batch rows\)"),
        ({"context_design": bare(tf.float32, [-1, 3, 2])}, r"received shape \[-1, 3, 2\]"),
        (
            {"context_design": bare(tf.float32, [2, 3, 2], float_val=[1.0, 2.0])},
            r"expected 12 values for context_design of shape \[2, 3, 2\]; received 2",
        ),
        (
            {"context_design": bare(tf.float32, [2, 3, 2], tensor_content=b"1234")},
            "expected 48 bytes for context_design .*; received 4",
        ),
        (
            {"context_design": bare(tf.float32, [1 << 40, 1 << 40, 2])},
            f"at most {MOST_ELEMENTS} elements",
        ),
    ],
)
def test_refusal_says_what_was_expected_and_what_was_received(signature, changes, message):
    with pytest.raises(InputError, match=message):
        decode_inputs(request(**changes), signature)


def test_unknown_rank_is_refused(signature):
    proto = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum)
    proto.tensor_shape.unknown_rank = True
    with pytest.raises(InputError, match="unknown rank"):
        decode_inputs(request(context_design=proto), signature)


def test_control_characters_of_a_request_are_not_repeated(signature):
    with pytest.raises(InputError) as caught:
        decode_inputs(request(**{"a\nb\x1b[31m": MASK}), signature)
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


class TestOutputFilter:
    def test_without_a_filter_everything_is_sent(self):
        assert selected_outputs([], {"b": 1, "a": 2}) == ["a", "b"]

    def test_a_filter_selects(self):
        assert selected_outputs(["b"], {"b": 1, "a": 2}) == ["b"]

    @pytest.mark.parametrize("names", [["c"], ["a", "a"]])
    def test_unknown_and_repeated_names_are_refused(self, names):
        with pytest.raises(InputError, match=r"expected .*; received"):
            selected_outputs(names, {"b": 1, "a": 2})


class TestEncodeOutput:
    def test_numbers_travel_as_typed_values(self):
        proto = encode_output(DESIGN)
        assert len(proto.float_val) == 12 and not proto.tensor_content
        np.testing.assert_array_equal(tf.make_ndarray(proto), DESIGN)

    def test_strings_travel_too(self):
        proto = encode_output(np.array([b"a", b"bc"], object))
        assert list(proto.string_val) == [b"a", b"bc"]

    def test_a_scalar_has_no_sizes_but_a_shape(self):
        proto = encode_output(np.float32(2.5))
        assert proto.HasField("tensor_shape") and tf.make_ndarray(proto).shape == ()
