"""The page of reference of a served model: what it takes, gives and refuses, and how to ask it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
from google.protobuf import json_format

from aline_tf.serving.extras.example_requests import example_request, predict_request
from aline_tf.serving.limits import Limits
from aline_tf.serving.signatures import (
    COUNTED_MASKS,
    DEFAULT_SIGNATURE,
    QUANTILE_LEVELS,
    SIGNATURES,
    counts,
    dtype,
    free_shape,
    letters,
)
from aline_tf.spec import TaskSpec

REFERENCE_FILE = "REFERENCE.md"
_MEANING = {
    "context_design": "where or when each observation was made",
    "context_outcome": "what was observed, in its own units; read where the status is 1",
    "context_status": "0 missing, 1 observed, 2 no answer, field by field",
    "context_mask": "false marks padding",
    "known_theta": "parameters given as known; read where `known_mask` is true",
    "known_mask": "which of them are given",
    "theta_mask": "parameters that are wanted",
    "target_design": "where outcomes are predicted",
    "target_mask": "which of these predictions are wanted",
    "candidate_design": "what may be asked next",
    "candidate_mask": "false marks padding and what may not be asked",
    **{
        count: f"how many places of the row are its own: beyond, `{mask}` is false; may be left"
        " out over gRPC where no server merges requests"
        for count, mask in COUNTED_MASKS.items()
    },
}
_GIVES = {
    "predict": ("mean", "sd", "quantiles"),
    "infer": ("theta_mean", "theta_sd", "theta_probability", "theta_quantiles"),
    "propose": ("scores", "probabilities", "index", "entropy"),
}
_GIVES["answer"] = sum(_GIVES.values(), ())
_GIVES["step"] = tuple(name for name in _GIVES["answer"] if not name.endswith("quantiles"))
_GIVES["distributions"] = ("theta_raw", "target_raw", "candidate_logits")
_OUTPUTS = {
    "mean": ("[B, M]", "float32", "prediction at each target; of a binary outcome its probability"),
    "sd": ("[B, M]", "float32", "its standard deviation"),
    "quantiles": ("[B, M, Q]", "float32", "its quantiles"),
    "theta_mean": ("[B, P]", "float32", "posterior mean of each parameter, in its own unit"),
    "theta_sd": ("[B, P]", "float32", "its standard deviation"),
    "theta_probability": ("[B, P]", "float32", "that it is 1 (binary) or not 0 (spike and slab)"),
    "theta_quantiles": ("[B, P, Q]", "float32", "its quantiles"),
    "scores": ("[B, N]", "float32", "the policy's logits, about -1e9 where a candidate is masked"),
    "probabilities": ("[B, N]", "float32", "their softmax over the candidates that may be asked"),
    "index": ("[B]", "int32", "the candidate to ask next, -1 where there is none"),
    "entropy": ("[B]", "float32", "of `probabilities`, in nats"),
    "theta_raw": (
        "[B, P, H]",
        "float32",
        "parameters of each posterior, as the head gives them",
    ),
    "target_raw": ("[B, M, H']", "float32", "parameters of each prediction, in the same way"),
    "candidate_logits": ("[B, N]", "float32", "the policy's logits, whatever is masked"),
}
_STATUS_CODES = (
    ("OK", "200", "an answer"),
    ("INVALID_ARGUMENT", "400", "a refused request: the message says what was expected"),
    ("NOT_FOUND", "404", "no such model, version or label"),
    ("FAILED_PRECONDITION", "412", "no such signature (`aline-tf serve`: INVALID_ARGUMENT)"),
    ("DEADLINE_EXCEEDED", "504", "no answer within the client's time"),
    ("RESOURCE_EXHAUSTED", "429", "a request that does not fit into memory, or a full queue"),
    ("UNAVAILABLE", "503", "the model is being loaded, or the server stops: ask again"),
)


def reference_page(spec: TaskSpec, limits: Limits, name: str | None = None) -> str:
    """The page, in Markdown.

    Args:
        spec: the task.
        limits: of the export.
        name: of the served model; the task's by default.
    """
    name = name or spec.name
    sizes = ", ".join(f"{letter} = {size}" for letter, size in spec.sizes.items())
    levels = ", ".join(f"{level:g}" for level in QUANTILE_LEVELS)
    sections = [
        f"# {name}: reference of the served model",
        f"Written by `aline-tf export`. Sizes: B rows, C observations, M targets and N candidates "
        f"are the request's; {sizes} are the task's; Q = {len(QUANTILE_LEVELS)} quantiles, at "
        f"{levels}. Rows do not see each other, and the order of places does not matter. A request "
        f"that names no signature means `{DEFAULT_SIGNATURE}`.",
        "## Numbers\n\n" + _numbers(spec),
        "## Inputs\n\n" + _inputs(spec),
        "## Signatures\n\n" + _signatures(),
        "## Outputs\n\n" + _table(("output", "shape", "dtype", "what"), _output_rows()),
        "## Limits\n\n" + _limits(limits),
        "## Status codes\n\n" + _table(("gRPC", "HTTP", "when"), _STATUS_CODES),
        "## Nothing yet\n\nAn empty context or no targets are one place of padding: zeros, its "
        "mask false, its count 0. JSON cannot express an empty tensor, and a server that merges "
        "requests refuses one. The requests below start that way.",
        "## Batching\n\nA server that merges requests fills shorter ones up with the first element "
        "of each tensor: send the counts, and read only the first M or N numbers of a row of the "
        "answer. Requests without counts are refused when they are merged, and one refused request "
        "refuses those it was merged with, which may be sent again.",
        "## Requests\n\n" + _requests(spec, name),
    ]
    return "\n\n".join(sections) + "\n"


def _numbers(spec: TaskSpec) -> str:
    rows = [
        (f"design {i}", f"`{name}`", f"{low:g} to {high:g} in training", "")
        for i, (name, low, high) in enumerate(
            zip(spec.design_names, spec.design_low, spec.design_high, strict=True)
        )
    ]
    for kind, channels in (("field", spec.fields), ("outcome", spec.outcomes)):
        rows += [
            (f"{kind} {i}", f"`{channel.name}`", _values(channel), channel.unit)
            for i, channel in enumerate(channels)
        ]
    for i, parameter in enumerate(spec.parameters):
        of_kind = {"interval": f"{parameter.low:g} to {parameter.high:g}", "binary": "0 or 1"}
        described = of_kind.get(parameter.kind, parameter.kind.replace("_", " and "))
        rows.append((f"parameter {i}", f"`{parameter.name}`", described, parameter.unit))
    return _table(("place", "name", "values", "unit"), rows)


def _values(channel: Any) -> str:
    described = {
        "binary": "0 or 1",
        "ordered": f"0 to {channel.levels - 1}",
        "count": "0, 1, 2, ...",
    }
    return described.get(channel.kind, channel.kind)


def _inputs(spec: TaskSpec) -> str:
    names = dict.fromkeys(name for group in SIGNATURES.values() for name in group)
    rows = []
    for name in (*names, *COUNTED_MASKS):
        shape = [
            letter if size is None else str(size)
            for letter, size in zip(letters(name), free_shape(name, spec.sizes), strict=True)
        ]
        rows.append((f"`{name}`", f"[{', '.join(shape)}]", dtype(name), _MEANING[name]))
    return _table(("input", "shape", "dtype", "what"), rows)


def _signatures() -> str:
    rows = [
        (f"`{name}`", _quoted((*SIGNATURES[name], *counts(name))), _quoted(_GIVES[name]))
        for name in SIGNATURES
    ]
    return _table(("signature", "takes", "gives"), rows)


def _output_rows() -> Iterable[tuple[str, ...]]:
    return [(f"`{name}`", *described) for name, described in _OUTPUTS.items()]


def _limits(limits: Limits) -> str:
    rows = [
        (f"`{name}`", str(value), limits.described(name))
        for name, value in limits.to_dict().items()
    ]
    return (
        _table(("limit", "value", "a request has"), rows)
        + "\n\nNumbers that are read must be finite and statuses 0, 1 or 2. What a mask or a "
        "status leaves unread may be anything. `aline-tf export --limit NAME=NUMBER` sets other "
        "limits; rows of a merged batch count together."
    )


def _requests(spec: TaskSpec, name: str) -> str:
    inputs = example_request(spec, "propose")
    row = {key: _rounded(array[0]) for key, array in inputs.items()}
    body = json.dumps({"signature_name": "propose", "instances": [row]})
    message = json.dumps(grpc_json(name, "propose", inputs))
    pool = json.dumps(_rounded(inputs["candidate_design"]))
    return f"""What to ask first, of three candidates. JSON over HTTP, in row form:

```sh
curl -s http://127.0.0.1:8501/v1/models/{name}:predict -d '{body}'
```

gRPC from a shell (the .proto files are those of TensorFlow Serving):

```sh
grpcurl -plaintext -import-path . -proto tensorflow_serving/apis/prediction_service.proto -d \\
  '{message}' \\
  127.0.0.1:8500 tensorflow.serving.PredictionService/Predict
```

Python, without TensorFlow; what is not given is filled in:

```python
from aline_tf.serving import Client

with Client("127.0.0.1:8500", "{name}") as client:
    print(client.propose({{"candidate_design": {pool}}})["index"])
```"""


def grpc_json(model: str, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """A PredictRequest in the JSON form of Protocol Buffers, its values typed.

    Args:
        model: its name.
        signature: its name.
        inputs: as of `example_request`.
    """
    message = json_format.MessageToDict(
        predict_request(model, signature, inputs), preserving_proto_field_name=True
    )
    # A map's order on the wire is anybody's; on a page it is to stay as it is.
    message["inputs"] = {name: message["inputs"][name] for name in inputs}
    fields = {"float32": "float_val", "int32": "int_val", "bool": "bool_val"}
    for name, array in inputs.items():
        tensor = message["inputs"][name]
        tensor.pop("tensor_content", None)
        tensor[fields[array.dtype.name]] = _rounded(array.ravel())
    return message


def _rounded(array: np.ndarray) -> Any:
    # As few decimals as the designs of an example need.
    return json.loads(
        json.dumps(array.tolist()), parse_float=lambda text: float(f"{float(text):.6g}")
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
