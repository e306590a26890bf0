"""Whole requests of a task, as small as JSON can express them and as large as is usual.

JSON has no empty tensor of three axes, and a server that merges requests refuses empty ones: what
there is none of is one place of padding, its mask False and its count 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tensorflow_serving.apis import predict_pb2

from aline_tf.serving import wire
from aline_tf.serving.completion import complete_inputs, never_empty
from aline_tf.serving.signatures import SIGNATURES, counts
from aline_tf.spec import TaskSpec

#: Candidates of a usual pool.
USUAL_POOL = 200


def example_request(
    spec: TaskSpec, signature: str, context: int = 0, targets: int = 0, candidates: int = 3
) -> dict[str, np.ndarray]:
    """Every input of a signature, of one row: nothing known, every parameter selected (every
    target, where the task has no parameters).

    Args:
        spec: the task.
        signature: its name.
        context: observed tokens: designs spread over the task's range, outcomes as usual.
        targets: target designs; at least one for `predict`, and where there are no parameters.
        candidates: designs of the pool, at least one.
    """
    places = {"context": context, "target": targets, "candidate": candidates}
    if signature == "predict" or not spec.parameters:
        places["target"] = max(targets, 1)
    batch: dict[str, Any] = {
        f"{name}_design": _spread(spec, count) for name, count in places.items() if count
    }
    if context:
        usual = [0 if field.kind == "binary" else field.loc for field in spec.fields]
        batch["context_outcome"] = np.tile(np.float32(usual), [1, context, 1])
    names = (*SIGNATURES[signature], *counts(signature))
    return never_empty(complete_inputs(signature, batch, names, spec.sizes))


def predict_request(
    model: str, signature: str, inputs: dict[str, np.ndarray]
) -> predict_pb2.PredictRequest:
    """The request as a message of TensorFlow Serving.

    Args:
        model: its name.
        signature: its name.
        inputs: as of `example_request`.
    """
    request = wire.message("PredictRequest", inputs=wire.to_tensors(inputs))
    request.model_spec.name, request.model_spec.signature_name = model, signature
    return predict_pb2.PredictRequest.FromString(request.SerializeToString())


def _spread(spec: TaskSpec, count: int) -> np.ndarray:
    """Designs [1, count, D] from one end of the range to the other, one-of-k codes kept whole."""
    share = (np.arange(count) + 1) / (count + 1)
    low, high = np.array(spec.design_low), np.array(spec.design_high)
    design = low + share[:, None] * (high - low)
    groups = [[spec.design_names.index(name) for name in group] for group in spec.one_of]
    if len(spec.outcomes) > 1:
        groups.append(list(range(len(spec.design_names)))[-len(spec.outcomes) :])
    for group in groups:
        design[:, group] = np.eye(len(group))[np.arange(count) % len(group)]
    return np.round(design, 3)[None].astype(np.float32)
