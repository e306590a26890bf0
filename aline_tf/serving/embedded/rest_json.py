"""JSON of TensorFlow Serving's REST interface: requests read, answers written.

A request is ``{"signature_name": ..., "instances": [...]}``, row by row, or ``{"inputs": ...}``,
input by input; an answer ``{"predictions": [...]}`` or ``{"outputs": ...}`` in the same form. Bytes
are ``{"b64": "..."}``. NaN and Infinity are written as such, which JSON itself does not know.

Source: https://www.tensorflow.org/tfx/serving/api_rest.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2

from aline_tf.errors import InputError
from aline_tf.serving.embedded.requests import quoted

_FORMS = ("instances", "inputs")
_DEEPEST = 16


@dataclasses.dataclass(frozen=True)
class PredictBody:
    """A :predict request as it stands in JSON.

    Attributes:
        signature: its name, "" for the default.
        by_row: whether `values` is a list of rows.
        values: rows, or inputs.
    """

    signature: str
    by_row: bool
    values: Any


def read_predict(body: bytes) -> PredictBody:
    """The request in the body of a :predict.

    Args:
        body: JSON.

    Raises:
        InputError: it is none, or not of one of the two forms.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        where = f": {error.msg} at {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(
            f"expected JSON; received {len(body)} bytes that are none{where}"
        ) from None
    if not isinstance(found, dict) or sum(form in found for form in _FORMS) != 1:
        keys = quoted(list(found)) if isinstance(found, dict) else type(found).__name__
        raise InputError(
            f"expected an object with instances or with inputs; received {keys or 'an empty one'}"
        )
    unknown = sorted(set(found) - {*_FORMS, "signature_name"})
    if unknown:
        raise InputError(
            f"expected nothing but signature_name beside the values; received {quoted(unknown)}"
        )
    signature = found.get("signature_name", "")
    if not isinstance(signature, str):
        raise InputError(f"expected a signature_name; received {type(signature).__name__}")
    by_row = "instances" in found
    values = found["instances" if by_row else "inputs"]
    if by_row and (not isinstance(values, list) or not values):
        raise InputError("expected instances as a list of rows; received no row")
    return PredictBody(signature, by_row, values)


def tensors(asked: PredictBody, definition: Any) -> dict[str, Any]:
    """Name -> TensorProto of the inputs.

    Args:
        asked: the request.
        definition: SignatureDef of its signature.

    Raises:
        InputError: rows are not alike, or a value is no number (truth value, text) where one is
            expected.
    """
    inputs = definition.inputs
    needed = [name for name in inputs if name not in definition.defaults]
    values = _columns(asked.values, needed) if asked.by_row else _named(asked.values, needed)
    unknown = sorted(set(values) - set(inputs))
    if unknown:
        raise InputError(
            f"expected inputs {', '.join(sorted(inputs))}; received unknown {quoted(unknown)}"
        )
    return {name: _tensor(name, value, inputs[name].dtype) for name, value in values.items()}


def predictions(outputs: Mapping[str, Any], by_row: bool) -> bytes:
    """The answer to a :predict, in the form of its request.

    Args:
        outputs: name -> TensorProto.
        by_row: whether the request was.

    Raises:
        InputError: rows were asked for, and an output is not by row.
    """
    found = {name: _listed(name, tf.make_ndarray(outputs[name])) for name in sorted(outputs)}
    if not by_row:
        only = next(iter(found.values())) if len(found) == 1 else found
        return _written({"outputs": only})
    lengths = {len(value) if isinstance(value, list) else -1 for value in found.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise InputError(
            "expected instances of a model whose outputs are by row; received one whose are not:"
            " send inputs"
        )
    if len(found) == 1:
        return _written({"predictions": next(iter(found.values()))})
    rows = zip(*found.values(), strict=True)
    return _written({"predictions": [dict(zip(found, row, strict=True)) for row in rows]})


def status(response: Any) -> bytes:
    """The states of a model's versions.

    Args:
        response: a GetModelStatusResponse.
    """
    found = json_format.MessageToDict(
        response, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    for version in found["model_version_status"]:
        # Written as text where all is well, too.
        version["status"] = {"error_code": "OK", "error_message": ""} | version.get("status", {})
    return _written(found)


def metadata(response: Any) -> bytes:
    """The signatures of a model.

    Args:
        response: a GetModelMetadataResponse.
    """
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    spec = response.model_spec
    described = json_format.MessageToDict(
        signatures, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return _written(
        {
            "model_spec": {
                "name": spec.name,
                "signature_name": spec.signature_name,
                "version": str(spec.version.value),
            },
            "metadata": {"signature_def": described},
        }
    )


def error(message: str) -> bytes:
    """A refusal.

    Args:
        message: one sentence.
    """
    return _written({"error": message})


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _named(values: Any, needed: list[str]) -> dict[str, Any]:
    """Inputs by name; the value alone stands for the only input."""
    if isinstance(values, dict) and set(values) != {"b64"}:
        return values
    if len(needed) != 1:
        raise InputError(
            f"expected inputs by name ({', '.join(sorted(needed))}); received a value alone"
        )
    return {needed[0]: values}


def _columns(rows: list[Any], needed: list[str]) -> dict[str, list[Any]]:
    named = [_named(row, needed) for row in rows]
    for place, row in enumerate(named):
        if set(row) != set(named[0]):
            raise InputError(
                f"expected the same inputs in every row; received {quoted(sorted(row))} in row"
                f" {place} and {quoted(sorted(named[0]))} in row 0"
            )
    return {name: [row[name] for row in named] for name in named[0]}


def _tensor(name: str, value: Any, dtype: int) -> Any:
    kind = tf.as_dtype(dtype)
    flat: list[Any] = []
    shape = _flattened(name, value, kind, flat, 0)
    try:
        # What is too large for the dtype becomes infinite, which a graph refuses where it is read.
        with np.errstate(over="ignore"):
            array = np.array(flat, object if kind == tf.string else kind.as_numpy_dtype)
        return tf.make_tensor_proto(array.reshape(shape), dtype=kind, shape=shape)
    except (OverflowError, ValueError, TypeError) as error:
        raise InputError(
            f"expected {kind.name} numbers in {name}; received some that are not"
        ) from error


def _flattened(name: str, value: Any, kind: tf.DType, flat: list[Any], depth: int) -> list[int]:
    """The shape of nested lists whose values are added to `flat`."""
    if not isinstance(value, list):
        flat.append(_scalar(name, value, kind))
        return []
    if depth >= _DEEPEST:
        raise InputError(f"expected at most {_DEEPEST} axes in {name}; received more")
    shapes = [_flattened(name, item, kind, flat, depth + 1) for item in value]
    for shape in shapes:
        if shape != shapes[0]:
            raise InputError(
                f"expected lists of one length in {name}; received {shapes[0]} and {shape}"
            )
    return [len(value), *(shapes[0] if shapes else [])]


def _scalar(name: str, value: Any, kind: tf.DType) -> Any:
    if kind == tf.string:
        return _bytes(name, value)
    is_bool = isinstance(value, bool)
    if kind == tf.bool:
        fits, expected = is_bool, "true or false"
    elif kind.is_integer:
        fits, expected = isinstance(value, int) and not is_bool, "whole numbers"
    else:
        fits, expected = isinstance(value, int | float) and not is_bool, "numbers"
    if not fits:
        raise InputError(f"expected {expected} in {name}; received {_described(value)}")
    return value


def _described(value: Any) -> str:
    kinds = {bool: "true or false", str: "text", dict: "an object", float: "a number with a point"}
    return kinds.get(type(value), "null" if value is None else "a whole number")


def _bytes(name: str, value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except binascii.Error:
            raise InputError(
                f"expected base64 in b64 of {name}; received text that is not"
            ) from None
    raise InputError(f'expected text or {{"b64": ...}} in {name}; received {_described(value)}')


def _listed(name: str, array: np.ndarray) -> Any:
    if array.dtype.kind not in "OSU":
        return array.tolist()
    encode = (
        (lambda value: {"b64": base64.b64encode(value).decode()})
        if name.endswith("_bytes")
        else (lambda value: value.decode("utf-8", errors="replace"))
    )
    return _nested(array, encode)


def _nested(array: Any, encode: Any) -> Any:
    if isinstance(array, np.ndarray) and array.ndim:
        return [_nested(item, encode) for item in array]
    return encode(array.item() if isinstance(array, np.ndarray) else array)
