"""The answers of the server, whichever way a request came in: Predict, metadata and status."""

from __future__ import annotations

import dataclasses
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from aline_tf.errors import InputError
from aline_tf.serving.embedded import merging
from aline_tf.serving.embedded.graph_functions import tensors
from aline_tf.serving.embedded.loading import LoadedModel
from aline_tf.serving.embedded.repository import ModelRepository
from aline_tf.serving.embedded.requests import (
    decode_inputs,
    encode_output,
    quoted,
    selected_outputs,
)
from aline_tf.serving.embedded.transport import Call
from aline_tf.serving.embedded.work_queue import Pass, QueueSettings, WorkQueue
from aline_tf.serving.limits import pairs_of
from aline_tf.serving.signatures import SERVING_DEFAULT
from aline_tf.serving.xla.programs import Programs

_STATES = get_model_status_pb2.ModelVersionStatus


@dataclasses.dataclass(frozen=True)
class _Work:
    model: LoadedModel
    signature: str
    arrays: dict[str, np.ndarray]
    programs: Programs | None = None  # None where it must not be padded


class Answers:
    """Answers messages of TensorFlow Serving with such messages.

    Args:
        repository: the models.
        settings: of the queue in which passes through them wait.
        programs: by which passes of the usual sizes are made.
    """

    def __init__(self, repository: ModelRepository, settings: QueueSettings, programs: Programs):
        self.repository, self.programs = repository, programs
        self._queue = WorkQueue(_run, settings)

    def stop(self) -> None:
        """Nothing more is run."""
        self._queue.stop()
        self.programs.stop()

    def predict(self, request: Any, call: Call) -> Any:
        """The PredictResponse of a PredictRequest.

        Args:
            request: the message.
            call: that brought it.

        Raises:
            InputError: it does not fit the signature.
            NotFoundError, NotLoadedError: there is no such model, version or label, or not yet.
            QueueFullError, AbandonedError: it is not run.
            Exception: what running it raised.
        """
        name = request.model_spec.signature_name or SERVING_DEFAULT
        call.model, call.signature = request.model_spec.name, name
        number, model, definition = self.signature(request.model_spec, call)
        selected = selected_outputs(list(request.output_filter), definition.outputs)
        arrays = decode_inputs(
            request.inputs, model.inputs[name], definition.defaults, model.limits
        )
        call.shapes = {key: list(array.shape) for key, array in sorted(arrays.items())}
        asked = _pass(_Work(model, name, arrays, self.programs), definition, call)
        call.when_left(lambda: self._queue.drop(asked))
        outputs = self._queue.ask(asked, call.seconds_left)
        response = predict_pb2.PredictResponse()
        _fill_spec(response.model_spec, request.model_spec.name, number, name)
        for key in selected:
            response.outputs[key].CopyFrom(encode_output(outputs[key]))
        return response

    def signature(self, spec: Any, call: Call) -> tuple[int, LoadedModel, Any]:
        """The version, the model and the SignatureDef that a ModelSpec means.

        Args:
            spec: with a model, perhaps a version or label, and perhaps a signature.
            call: that brought it.

        Raises:
            InputError, NotFoundError, NotLoadedError: as by `predict`.
        """
        version = self._find(spec)
        call.version = version.number
        loaded = version.loaded
        definition = loaded.definitions.get(spec.signature_name or SERVING_DEFAULT)
        if definition is None:
            raise InputError(
                f"expected a signature of {', '.join(sorted(loaded.definitions))}; received"
                f" {quoted([spec.signature_name or SERVING_DEFAULT])}"
            )
        return version.number, loaded, definition

    def metadata(self, request: Any, call: Call) -> Any:
        """The GetModelMetadataResponse; errors as by `predict`.

        Args:
            request, call: as for `predict`.
        """
        call.model = request.model_spec.name
        fields = list(request.metadata_field)
        if not fields or any(field != "signature_def" for field in fields):
            raise InputError(
                f"expected metadata_field signature_def; received {quoted(fields) or 'none'}"
            )
        version = self._find(request.model_spec)
        call.version = version.number
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in version.loaded.definitions.items():
            signatures.signature_def[name].CopyFrom(definition)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _fill_spec(response.model_spec, request.model_spec.name, version.number)
        response.metadata["signature_def"].Pack(signatures)
        return response

    def status(self, request: Any, call: Call) -> Any:
        """The GetModelStatusResponse; errors as by `predict`.

        Args:
            request, call: as for `predict`.
        """
        spec = request.model_spec
        call.model = spec.name
        if _chosen(spec) == (None, None):
            versions = sorted(self.repository.versions(spec.name).items(), reverse=True)
        else:
            version = self._find(spec)
            versions = [(version.number, version)]
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, version in versions:
            status = response.model_version_status.add(version=number)
            status.state = _STATES.State.Value(version.state)
            if version.error:
                status.status.error_code = grpc.StatusCode.INTERNAL.value[0]
                status.status.error_message = version.error
        call.version = [number for number, _ in versions]
        return response

    def _find(self, spec: Any) -> Any:
        number = spec.version.value if spec.HasField("version") else None
        return self.repository.find(spec.name, number, spec.version_label or None)


def _chosen(spec: Any) -> tuple[int | None, str | None]:
    """The version number and the label a ModelSpec names; 0, the number of "any", is no choice."""
    number = spec.version.value if spec.HasField("version") else None
    return number or None, spec.version_label or None


def _fill_spec(spec: Any, name: str, version: int, signature: str = "") -> None:
    spec.name, spec.signature_name = name, signature
    spec.version.value = version


def _pass(work: _Work, definition: Any, call: Call) -> Pass:
    sizes = merging.sizes_of(work.arrays)
    elements = sum(array.size for array in work.arrays.values())
    alike = merging.size_class(work.arrays) if merging.can_merge(definition) else None
    return Pass(
        work if alike is not None else dataclasses.replace(work, programs=None),
        size=max(pairs_of(sizes), elements),
        rows=sizes["B"],
        bytes_held=sum(array.nbytes for array in work.arrays.values()),
        key=None if alike is None else (id(work.model.functions[work.signature]), alike),
        is_wanted=call.is_wanted,
    )


def _run(passes: list[Pass]) -> None:
    """Runs passes of one function, as one where there are several."""
    if len(passes) > 1 and _run_merged(passes):
        return
    for asked in passes:
        try:
            asked.result = _outputs(asked.work, [asked.work.arrays])[0]
        except Exception as error:
            asked.error = error


def _run_merged(passes: list[Pass]) -> bool:
    """Whether one pass answered all; not where one of them is refused, which refuses all."""
    requests, limits = [asked.work.arrays for asked in passes], passes[0].work.model.limits
    if limits is not None and limits.exceeded(merging.sizes_together(requests)):
        return False
    try:
        answers = _outputs(passes[0].work, requests)
    except tf.errors.OpError:
        return False
    for asked, found in zip(passes, answers, strict=True):
        asked.result = found
    return True


def _outputs(work: _Work, requests: list[dict[str, np.ndarray]]) -> list[dict[str, np.ndarray]]:
    """What a work's function gives for requests, by one pass."""
    function = work.model.functions[work.signature]
    if work.programs is not None:
        found = work.programs.answer(function, requests, work.model.limits)
        if found is not None:
            return found
    arrays = requests[0] if len(requests) == 1 else merging.merged(requests)
    outputs = {name: tensor.numpy() for name, tensor in function(**tensors(arrays)).items()}
    return [outputs] if len(requests) == 1 else merging.split(outputs, requests)
