"""A PredictRequest against the signature it names: checked, decoded, answered.

Every refusal is an `aline_tf.errors.InputError` that says what was expected and what was received;
it names inputs, dtypes and shapes, never values.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from aline_tf.batch import BATCH_FIELDS, EPISODE_FIELDS, size_conflict
from aline_tf.errors import InputError
from aline_tf.serving.limits import Limits

#: Elements one tensor may have. A request of a few bytes can announce any shape, and a tensor
#: whose values are left out is filled up to its shape.
MOST_ELEMENTS = 1 << 24

_VALUE_FIELDS = {
    tf.float16: "half_val",
    tf.bfloat16: "half_val",
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.uint8: "int_val",
    tf.uint16: "int_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}
#: Number of a dtype whose bytes are numpy's own -> that dtype. A truth value may be any byte.
_BOOL = tf.bool.as_datatype_enum
_PLAIN = {
    dtype.as_datatype_enum: np.dtype(dtype.as_numpy_dtype)
    for dtype in (tf.float32, tf.float64, tf.int32, tf.int64)
    if sys.byteorder == "little"
}


class ExpectedInput(NamedTuple):
    """What a signature wants of an input: read off its TensorInfo once, not for every request.

    Attributes:
        dtype: its number.
        dims: sizes, -1 where any will do; None where the rank is free.
        letters: of the sizes.
        info: the TensorInfo, for what is said of a wrong one.
    """

    dtype: int
    dims: tuple[int, ...] | None
    letters: tuple[str, ...]
    info: Any


def expected_inputs(signature_inputs: Mapping) -> dict[str, ExpectedInput]:
    """What a signature wants.

    Args:
        signature_inputs: name -> TensorInfo, as in SignatureDef.inputs.
    """
    return {
        name: ExpectedInput(
            info.dtype,
            None
            if info.tensor_shape.unknown_rank
            else tuple(dim.size for dim in info.tensor_shape.dim),
            EPISODE_FIELDS.get(name, ("B",)),
            info,
        )
        for name, info in signature_inputs.items()
    }


def decode_inputs(
    request_inputs: Mapping,
    expected: Mapping[str, ExpectedInput],
    defaults: Mapping | None = None,
    limits: Limits | None = None,
) -> dict[str, np.ndarray]:
    """The arrays of a request, after every check that can be made before the model runs.

    Args:
        request_inputs: name -> TensorProto, as in PredictRequest.inputs.
        expected: of the signature, by `expected_inputs`.
        defaults: name -> TensorProto of inputs that may be left out, as in SignatureDef.defaults.
        limits: of the request's sizes, met before any memory is taken for it.

    Raises:
        InputError: an input is missing, unknown, of another dtype, rank or size, holds another
            number of values than its shape has, disagrees with the others about a size, or the
            request is larger than the limits.
    """
    defaults = defaults or {}
    _check_names(request_inputs, expected, defaults)
    shapes, sizes, agree = {}, dict.fromkeys("BCMNP", 0), True
    seen: dict[str, int] = {}
    for name, wanted in expected.items():
        if name in request_inputs:
            shapes[name] = shape = _checked_shape(name, request_inputs[name], wanted)
            for letter, size in zip(wanted.letters, shape, strict=False):
                agree &= seen.setdefault(letter, size) == size
    if not agree:
        raise InputError(size_conflict(shapes))
    too_large = limits and limits.exceeded(sizes | seen)
    if too_large:
        raise InputError(too_large)
    return {
        name: _decode(name, request_inputs[name], shapes[name])
        if name in shapes
        else tf.make_ndarray(defaults[name])
        for name in expected
    }


def selected_outputs(output_filter: list[str], signature_outputs: Mapping) -> list[str]:
    """The names to answer with: those of the filter, or all when it is empty.

    Raises:
        InputError: the filter names an output the signature does not have, or one twice.
    """
    names = sorted(signature_outputs)
    unknown = [name for name in output_filter if name not in signature_outputs]
    if unknown:
        raise InputError(
            f"expected output_filter to name outputs of {', '.join(names)}; received"
            f" {quoted(unknown)}"
        )
    if len(set(output_filter)) < len(output_filter):
        raise InputError(f"expected each output once; received {quoted(output_filter)}")
    return list(output_filter) or names


def encode_output(array: np.ndarray) -> tensor_pb2.TensorProto:
    """An array as a TensorProto with typed values (float_val, ...), as TensorFlow Serving sends."""
    array = np.asarray(array)
    dtype = tf.as_dtype(array.dtype if array.dtype.kind not in "OSU" else tf.string)
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    proto.tensor_shape.SetInParent()
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    flat = array.ravel()
    if dtype in (tf.float16, tf.bfloat16):
        flat = flat.view(np.uint16)
    getattr(proto, _VALUE_FIELDS[dtype]).extend(flat.tolist())
    return proto


def quoted(names: list[str] | tuple[str, ...], most: int = 12) -> str:
    """Names from a request, safe to print: quoted, cut, control characters escaped."""
    shown = [repr(str(name)[:80]) for name in list(names)[:most]]
    return ", ".join(shown) + (", ..." if len(names) > most else "")


def described_shape(name: str, info) -> str:
    """The shape a signature takes, with the glossary's letters: "[B, C, 2]"."""
    letters = BATCH_FIELDS.get(name, ())
    dims = [dim.size for dim in info.tensor_shape.dim]
    shown = [
        str(size) if size >= 0 else (letters[axis] if axis < len(letters) else "?")
        for axis, size in enumerate(dims)
    ]
    return f"[{', '.join(shown)}]"


def _check_names(request_inputs: Mapping, signature_inputs: Mapping, defaults: Mapping) -> None:
    if len(request_inputs) == len(signature_inputs) and all(
        name in request_inputs for name in signature_inputs
    ):
        return
    missing = sorted(set(signature_inputs) - set(request_inputs) - set(defaults))
    unknown = sorted(set(request_inputs) - set(signature_inputs))
    if not missing and not unknown:
        return
    found = [f"without {', '.join(missing)}"] if missing else []
    if unknown:
        found.append(f"with unknown {quoted(unknown)}")
    raise InputError(
        f"expected inputs {', '.join(sorted(signature_inputs))}; received a request"
        f" {' and '.join(found)}"
    )


def _checked_shape(
    name: str, proto: tensor_pb2.TensorProto, wanted: ExpectedInput
) -> tuple[int, ...]:
    # Sentences are made where something is wrong: they take longer than all checks.
    if proto.dtype != wanted.dtype:
        raise InputError(
            f"expected {name} of dtype {tf.as_dtype(wanted.dtype).name}; received"
            f" {_dtype_name(proto.dtype)}"
        )
    received = proto.tensor_shape
    shape, dims = tuple([dim.size for dim in received.dim]), wanted.dims
    fits = dims is None or (
        len(shape) == len(dims)
        and all(want in (-1, size) for want, size in zip(dims, shape, strict=True))
    )
    if not fits or (shape and min(shape) < 0) or received.unknown_rank:
        shown = "a tensor of unknown rank" if received.unknown_rank else f"shape {list(shape)}"
        raise InputError(
            f"expected {name} of shape {described_shape(name, wanted.info)}; received {shown}"
        )
    if math.prod(shape) > MOST_ELEMENTS:
        raise InputError(
            f"expected {name} of at most {MOST_ELEMENTS} elements; received shape {list(shape)}"
        )
    return shape


def _decode(name: str, proto: tensor_pb2.TensorProto, shape: tuple[int, ...]) -> np.ndarray:
    size = math.prod(shape)
    plain = _PLAIN.get(proto.dtype)
    if plain is not None and len(proto.tensor_content) == size * plain.itemsize and size:
        # A view of the message, which lives as long as its arrays are read.
        return np.frombuffer(proto.tensor_content, plain).reshape(shape)
    if proto.dtype == _BOOL and len(proto.tensor_content) == size and size:
        numbers = np.frombuffer(proto.tensor_content, np.uint8)
        if numbers.max() <= 1:
            return numbers.view(np.bool_).reshape(shape)
    dtype = tf.as_dtype(proto.dtype)
    if proto.tensor_content:
        received, expected, unit = len(proto.tensor_content), size * dtype.size, "bytes"
        fits = received == expected and dtype != tf.string
    else:
        # One value stands for all, and none for zeros: the rule of TensorProto itself.
        received, expected, unit = len(getattr(proto, _VALUE_FIELDS[dtype])), size, "values"
        fits = received in (0, 1, size) if size else received == 0
    if not fits:
        raise InputError(
            f"expected {expected} {unit} for {name} of shape {list(shape)}; received {received}"
        )
    try:
        return tf.make_ndarray(proto)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"expected values of {name} that are {dtype.name}; received some that are not"
        ) from error


def _dtype_name(number: int) -> str:
    try:
        return tf.as_dtype(number).name if number else "no dtype"
    except TypeError:
        known = types_pb2.DataType.values()
        return types_pb2.DataType.Name(number) if number in known else f"dtype number {number}"
