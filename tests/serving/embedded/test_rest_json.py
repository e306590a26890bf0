"""JSON in and out: types are held to, texts and bytes, numbers that JSON does not know."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from aline_tf.errors import InputError
from aline_tf.serving.embedded.rest_json import PredictBody, predictions, read_predict, tensors


def definition(**dtypes):
    found = meta_graph_pb2.SignatureDef()
    for name, dtype in dtypes.items():
        found.inputs[name].dtype = dtype.as_datatype_enum
    return found


def array(values, dtype):
    return tf.make_ndarray(tensors(PredictBody("", False, {"x": values}), definition(x=dtype))["x"])


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2.5, float("nan")], tf.float32, np.float32([1, 2.5, np.nan])),
        ([1, 2], tf.int32, np.int32([1, 2])),
        ([[True], [False]], tf.bool, np.array([[True], [False]])),
        ([], tf.float32, np.zeros([0], np.float32)),
        ([[], []], tf.int32, np.zeros([2, 0], np.int32)),
        (3.5, tf.float64, np.float64(3.5)),
        (["a", {"b64": "AP8="}], tf.string, np.array([b"a", b"\x00\xff"], object)),
    ],
)
def test_values(values, dtype, expected):
    found = array(values, dtype)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("values", "dtype", "message"),
    [
        ([1.0], tf.int32, "expected whole numbers in x; received a number with a point"),
        ([True], tf.int32, "expected whole numbers in x; received true or false"),
        ([1 << 40], tf.int32, "expected int32 numbers in x; received some that are not"),
        ([10**400], tf.float32, "expected float32 numbers in x; received some that are not"),
        ([None], tf.float32, "expected numbers in x; received null"),
        (["1"], tf.float32, "expected numbers in x; received text"),
        ([1], tf.string, 'expected text or {"b64": ...} in x; received a whole number'),
        ([{"b64": "?"}], tf.string, "expected base64 in b64 of x"),
        ([[1], 2], tf.float32, "expected lists of one length in x"),
        ([[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]], tf.float32, "expected at most 16 axes in x"),
    ],
)
def test_refusals(values, dtype, message):
    with pytest.raises(InputError) as caught:
        array(values, dtype)
    assert message in str(caught.value)


def test_a_value_alone_stands_for_the_only_input():
    found = tensors(read_predict(b'{"instances": [[1, 2], [3, 4]]}'), definition(x=tf.float32))
    np.testing.assert_array_equal(tf.make_ndarray(found["x"]), [[1, 2], [3, 4]])
    found = tensors(read_predict(b'{"inputs": [1, 2]}'), definition(x=tf.float32))
    np.testing.assert_array_equal(tf.make_ndarray(found["x"]), [1, 2])


def test_answers_in_both_forms():
    outputs = {"y": tf.make_tensor_proto([[1.5], [float("nan")]])}
    assert predictions(outputs, True) == b'{"predictions": [[1.5], [NaN]]}'
    assert predictions(outputs, False) == b'{"outputs": [[1.5], [NaN]]}'
    outputs["name"] = tf.make_tensor_proto([b"a", b"b"])
    outputs["raw_bytes"] = tf.make_tensor_proto([b"\x00", b"\xff"])
    rows = json.loads(predictions(outputs, True))["predictions"]
    assert rows[0] == {"name": "a", "raw_bytes": {"b64": "AA=="}, "y": [1.5]}


def test_an_output_that_is_not_by_row_wants_the_other_form():
    outputs = {"y": tf.make_tensor_proto([1.0, 2.0]), "norm": tf.make_tensor_proto(3.0)}
    with pytest.raises(InputError, match="whose outputs are by row"):
        predictions(outputs, True)
    assert json.loads(predictions(outputs, False))["outputs"] == {"norm": 3.0, "y": [1.0, 2.0]}


@pytest.mark.parametrize("seed", range(5))
def test_numbers_survive_the_way_there_and_back(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=rng.integers(0, 4, 3)).astype(np.float32)
    body = json.dumps({"inputs": {"x": values.tolist()}}).encode()
    found = tf.make_ndarray(tensors(read_predict(body), definition(x=tf.float32))["x"])
    np.testing.assert_array_equal(found.ravel(), values.ravel())
    answer = predictions({"y": tf.make_tensor_proto(found)}, False)
    np.testing.assert_array_equal(np.ravel(json.loads(answer)["outputs"]), values.ravel())
