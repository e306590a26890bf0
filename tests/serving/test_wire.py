"""The client's own messages are the same bytes as TensorFlow Serving's."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import get_model_status_pb2, predict_pb2

from aline_tf.serving import wire
from aline_tf.serving.embedded.requests import encode_output

DTYPES = ("float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16")
DTYPES += ("uint32", "uint64", "bool")


def values(dtype: str, shape) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2, shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0, 4), (2, 3)])
def test_request_is_read_by_tensorflow_servings_own_messages(dtype, shape):
    array = values(dtype, shape)
    request = wire.message(
        "PredictRequest",
        model_spec={"name": "m", "signature_name": "s", "version": {"value": 7}},
        inputs=wire.to_tensors({"x": array}),
        output_filter=["a"],
    )
    read = predict_pb2.PredictRequest.FromString(request.SerializeToString())
    assert (read.model_spec.name, read.model_spec.signature_name) == ("m", "s")
    assert read.model_spec.version.value == 7
    assert list(read.output_filter) == ["a"]
    decoded = tf.make_ndarray(read.inputs["x"])
    assert decoded.dtype == array.dtype
    np.testing.assert_array_equal(decoded, array)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("encode", [encode_output, tf.make_tensor_proto])
def test_answer_of_typed_values_or_of_bytes_is_read(dtype, encode):
    array = values(dtype, (2, 3))
    response = predict_pb2.PredictResponse()
    response.outputs["y"].CopyFrom(encode(array))
    read = wire.message("PredictResponse")
    read.ParseFromString(response.SerializeToString())
    decoded = wire.to_array(wire.entries(read.outputs)["y"])
    assert decoded.dtype == array.dtype
    np.testing.assert_array_equal(decoded, array)


def test_values_left_out_repeat_the_last_one():
    proto = tensor_pb2.TensorProto(dtype=1, float_val=[1.0, 2.0])
    proto.tensor_shape.dim.add(size=4)
    read = wire.message("TensorProto")
    read.ParseFromString(proto.SerializeToString())
    np.testing.assert_array_equal(wire.to_array(read), [1.0, 2.0, 2.0, 2.0])
    proto.ClearField("float_val")
    read.ParseFromString(proto.SerializeToString())
    np.testing.assert_array_equal(wire.to_array(read), np.zeros(4))


def test_strings_are_refused_with_a_message():
    with pytest.raises(ValueError, match="expected a tensor of numbers"):
        wire.to_array(wire.message("TensorProto", dtype=7))


def test_version_states_are_those_of_tensorflow_serving():
    states = get_model_status_pb2.ModelVersionStatus.State
    assert {number: name for name, number in states.items()} == wire.VERSION_STATES
