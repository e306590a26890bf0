"""Requests that TensorFlow Serving answers to itself before it says that a model is available.

TensorFlow optimises a graph when it first runs: the first request of a signature takes seconds.

Source: https://www.tensorflow.org/tfx/serving/saved_model_warmup.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from aline_tf.serving.extras.example_requests import USUAL_POOL, example_request, predict_request
from aline_tf.serving.limits import Limits
from aline_tf.serving.signatures import DEFAULT_SIGNATURE, SERVING_DEFAULT, SIGNATURES
from aline_tf.spec import TaskSpec

#: Where TensorFlow Serving looks for them.
WARM_UP_FILE = "assets.extra/tf_serving_warmup_requests"


def write_warm_up_requests(version: Path, spec: TaskSpec, limits: Limits) -> None:
    """For every signature a request at the start of an episode and one in its middle.

    Args:
        version: directory of the SavedModel.
        spec: the task.
        limits: none of the requests is above them.
    """
    file = Path(version) / WARM_UP_FILE
    file.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for request in _requests(spec, limits):
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(request)
            writer.write(log.SerializeToString(deterministic=True))


def _requests(spec: TaskSpec, limits: Limits) -> Iterator:
    pool, middle = min(USUAL_POOL, limits.N), min(max(spec.horizon // 2, 1), limits.C)
    for signature in (*SIGNATURES, SERVING_DEFAULT):
        of = DEFAULT_SIGNATURE if signature == SERVING_DEFAULT else signature
        for context, targets, candidates in ((0, 0, 1), (middle, 1, pool)):
            sizes = {"B": 1, "C": max(context, 1), "M": 1, "N": candidates, "P": spec.sizes["P"]}
            if limits.exceeded(sizes) is None:
                inputs = example_request(spec, of, context, targets, candidates)
                yield predict_request(spec.name, signature, inputs)
