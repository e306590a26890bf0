"""The messages of TensorFlow Serving that the client needs, declared here.

The stubs of tensorflow-serving-api import all of TensorFlow; a program that only asks a server
should not have to. These declarations are compatible on the wire (the same field numbers and
types) and live in a descriptor pool of their own, so that both can be used in one process.
Enumerations are plain numbers; maps are repeated entries of a key and a value, which is what they
are on the wire.

Source: the .proto files of tensorflow (core/framework, core/protobuf) and of tensorflow_serving
(apis).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import grpc
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "aline_tf.serving.wire"
_KINDS = {
    "double": 1,
    "float": 2,
    "int64": 3,
    "uint64": 4,
    "int32": 5,
    "bool": 8,
    "string": 9,
    "bytes": 12,
    "uint32": 13,
}
_MESSAGE_KIND = 11

# Message -> (field, number, kind or message, repeated).
_MESSAGES: dict[str, tuple[tuple[str, int, str, bool], ...]] = {
    "Int64Value": (("value", 1, "int64", False),),
    "Any": (("type_url", 1, "string", False), ("value", 2, "bytes", False)),
    "Dim": (("size", 1, "int64", False),),
    "TensorShapeProto": (("dim", 2, "Dim", True), ("unknown_rank", 3, "bool", False)),
    "TensorProto": (
        ("dtype", 1, "int32", False),
        ("tensor_shape", 2, "TensorShapeProto", False),
        ("tensor_content", 4, "bytes", False),
        ("float_val", 5, "float", True),
        ("double_val", 6, "double", True),
        ("int_val", 7, "int32", True),
        ("string_val", 8, "bytes", True),
        ("int64_val", 10, "int64", True),
        ("bool_val", 11, "bool", True),
        ("half_val", 13, "int32", True),
        ("uint32_val", 16, "uint32", True),
        ("uint64_val", 17, "uint64", True),
    ),
    "NamedTensor": (("key", 1, "string", False), ("value", 2, "TensorProto", False)),
    "ModelSpec": (
        ("name", 1, "string", False),
        ("version", 2, "Int64Value", False),
        ("signature_name", 3, "string", False),
        ("version_label", 4, "string", False),
    ),
    "PredictRequest": (
        ("model_spec", 1, "ModelSpec", False),
        ("inputs", 2, "NamedTensor", True),
        ("output_filter", 3, "string", True),
    ),
    "PredictResponse": (
        ("outputs", 1, "NamedTensor", True),
        ("model_spec", 2, "ModelSpec", False),
    ),
    "GetModelMetadataRequest": (
        ("model_spec", 1, "ModelSpec", False),
        ("metadata_field", 2, "string", True),
    ),
    "NamedAny": (("key", 1, "string", False), ("value", 2, "Any", False)),
    "GetModelMetadataResponse": (
        ("model_spec", 1, "ModelSpec", False),
        ("metadata", 2, "NamedAny", True),
    ),
    "TensorInfo": (
        ("name", 1, "string", False),
        ("dtype", 2, "int32", False),
        ("tensor_shape", 3, "TensorShapeProto", False),
    ),
    "NamedTensorInfo": (("key", 1, "string", False), ("value", 2, "TensorInfo", False)),
    "SignatureDef": (
        ("inputs", 1, "NamedTensorInfo", True),
        ("outputs", 2, "NamedTensorInfo", True),
        ("method_name", 3, "string", False),
        ("defaults", 4, "NamedTensor", True),
    ),
    "NamedSignatureDef": (("key", 1, "string", False), ("value", 2, "SignatureDef", False)),
    "SignatureDefMap": (("signature_def", 1, "NamedSignatureDef", True),),
    "GetModelStatusRequest": (("model_spec", 1, "ModelSpec", False),),
    "StatusProto": (("error_code", 1, "int32", False), ("error_message", 2, "string", False)),
    "ModelVersionStatus": (
        ("version", 1, "int64", False),
        ("state", 2, "int32", False),
        ("status", 3, "StatusProto", False),
    ),
    "GetModelStatusResponse": (("model_version_status", 1, "ModelVersionStatus", True),),
}

#: Path of each method, its request and its response.
_METHODS = {
    "Predict": ("PredictionService", "PredictRequest", "PredictResponse"),
    "GetModelMetadata": (
        "PredictionService",
        "GetModelMetadataRequest",
        "GetModelMetadataResponse",
    ),
    "GetModelStatus": ("ModelService", "GetModelStatusRequest", "GetModelStatusResponse"),
}

# Number of the dtype -> numpy dtype and the field of its values.
_DTYPES = {
    1: (np.dtype(np.float32), "float_val"),
    2: (np.dtype(np.float64), "double_val"),
    3: (np.dtype(np.int32), "int_val"),
    4: (np.dtype(np.uint8), "int_val"),
    5: (np.dtype(np.int16), "int_val"),
    6: (np.dtype(np.int8), "int_val"),
    9: (np.dtype(np.int64), "int64_val"),
    10: (np.dtype(np.bool_), "bool_val"),
    17: (np.dtype(np.uint16), "int_val"),
    19: (np.dtype(np.float16), "half_val"),
    22: (np.dtype(np.uint32), "uint32_val"),
    23: (np.dtype(np.uint64), "uint64_val"),
}
_NUMBERS = {dtype: number for number, (dtype, _) in _DTYPES.items()}
VERSION_STATES = {
    0: "UNKNOWN",
    10: "START",
    20: "LOADING",
    30: "AVAILABLE",
    40: "UNLOADING",
    50: "END",
}


def _message_classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="aline_tf/serving/wire.proto", package=_PACKAGE, syntax="proto3"
    )
    for message, fields in _MESSAGES.items():
        declared = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            field = declared.field.add(name=name, number=number, label=3 if repeated else 1)
            field.type = _KINDS.get(kind, _MESSAGE_KIND)
            if kind not in _KINDS:
                field.type_name = f".{_PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        message: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{_PACKAGE}.{message}")
        )
        for message in _MESSAGES
    }


_CLASSES = _message_classes()


def message(kind: str, /, **fields: Any) -> Any:
    """A new message of one of the declared kinds."""
    return _CLASSES[kind](**fields)


def method(channel: grpc.Channel, name: str) -> Any:
    """The callable of one remote method: Predict, GetModelMetadata or GetModelStatus."""
    service, request, response = _METHODS[name]
    return channel.unary_unary(
        f"/tensorflow.serving.{service}/{name}",
        request_serializer=_CLASSES[request].SerializeToString,
        response_deserializer=_CLASSES[response].FromString,
    )


def entries(repeated: Any) -> dict[str, Any]:
    """A map on the wire as a dict."""
    return {entry.key: entry.value for entry in repeated}


def dtype_name(number: int) -> str:
    """The numpy name of a dtype's number: 1 is "float32"."""
    return _DTYPES[number][0].name if number in _DTYPES else f"dtype number {number}"


def to_tensors(arrays: Mapping[str, np.ndarray]) -> list[Any]:
    """Arrays as map entries of TensorProtos that carry their bytes as they are."""
    return [
        message("NamedTensor", key=name, value=_tensor(array)) for name, array in arrays.items()
    ]


def _tensor(array: np.ndarray) -> Any:
    little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return message(
        "TensorProto",
        dtype=_NUMBERS[array.dtype],
        tensor_shape={"dim": [{"size": size} for size in array.shape]},
        tensor_content=np.ascontiguousarray(little_endian).tobytes(),
    )


def to_array(tensor: Any) -> np.ndarray:
    """The array of a TensorProto, from its bytes or from its typed values.

    Raises:
        ValueError: a dtype that is not a number, or another count of values than its shape has.
    """
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if tensor.dtype not in _DTYPES:
        raise ValueError(f"expected a tensor of numbers; received dtype number {tensor.dtype}")
    dtype, field = _DTYPES[tensor.dtype]
    if tensor.tensor_content:
        little_endian = np.frombuffer(tensor.tensor_content, dtype.newbyteorder("<"))
        return little_endian.astype(dtype).reshape(shape)
    values = getattr(tensor, field)
    if dtype == np.float16:
        flat = np.asarray(values, np.uint16).view(np.float16)
    else:
        flat = np.asarray(values, dtype)
    # Trailing values that repeat may be left out: the last one stands for the rest.
    missing = math.prod(shape) - flat.size
    if missing > 0:
        flat = np.pad(flat, (0, missing), mode="edge" if flat.size else "constant")
    return flat.reshape(shape)
