"""A client of TensorFlow Serving and of the embedded server: numpy in, numpy out.

It needs numpy, grpcio and protobuf, and does not import TensorFlow.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import numpy as np

from aline_tf.batch import BATCH_FIELDS
from aline_tf.errors import InputError
from aline_tf.models.packaged_presets import preset_spec
from aline_tf.serving import wire
from aline_tf.serving.calls.retry import Retry, least_pause
from aline_tf.serving.completion import complete_inputs, never_empty
from aline_tf.serving.signatures import OUTPUTS_BY_PLACE, counts
from aline_tf.spec import TaskSpec
from aline_tf.units.unit_adapter import UnitAdapter

_REQUEST_AT_FAULT = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
)
#: Left alone, gRPC waits a second before it connects again, and tries in between fail at once.
_RECONNECT = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


class Client:
    """Asks one served model; usable from several threads, and as a context manager.

    Args:
        target: "host:port" of the server's gRPC port, e.g. "127.0.0.1:8500".
        model: name of the model.
        version: version number; by default the server's choice (the latest).
        label: label of a version instead of its number, e.g. "stable".
        timeout: seconds to wait for each answer, all tries and pauses counted.
        retry: how often a call that does not reach the server, or finds its queue full, is tried,
            by default `Retry()`; `Retry(1)` for once.
        units: a `UnitAdapter`, where designs, outcomes and parameters are in other units than those
            the model was trained in: they are brought there and back. The server knows nothing of
            it.
        spec: the model's task, which the units need: a `TaskSpec`, its dict, or the name of a
            packaged preset; by default the preset of the model's own name.

        with Client("127.0.0.1:8500", "psychometric") as client:
            answer = client.propose({"candidate_design": pool})   # [B, N, D]
            chosen = answer["index"]                              # [B]

    Raises:
        InputError: a version and a label, a timeout that is not positive, or units of another
            task.

    Example:
        >>> from aline_tf.serving import Client
        >>> with Client("127.0.0.1:8500", "psychometric", timeout=2) as client:
        ...     client.target  # connected to with the first request
        '127.0.0.1:8500'
    """

    def __init__(
        self,
        target: str,
        model: str,
        version: int | None = None,
        *,
        label: str | None = None,
        timeout: float = 10.0,
        retry: Retry | None = None,
        units: UnitAdapter | None = None,
        spec: TaskSpec | Mapping[str, Any] | str | None = None,
    ):
        if version is not None and label is not None:
            raise InputError(f"expected a version or a label; received {version} and {label!r}")
        if not timeout > 0:
            raise InputError(f"expected a timeout above 0 seconds; received {timeout}")
        self.target, self.model, self.version, self.label = target, model, version, label
        self.timeout, self.retry = timeout, retry or Retry()
        self.units, self._spec_of_units = units, None
        if units is not None:
            self._spec_of_units = task_spec(model if spec is None else spec)
            units.check(self._spec_of_units)
        self._channel = grpc.insecure_channel(
            target, options=[("grpc.max_receive_message_length", -1), *_RECONNECT]
        )
        self._signatures: dict[str, Any] | None = None
        self._sizes_of: tuple[Any, dict[str, int]] = None, {}

    def predict(
        self, batch: Mapping[str, Any], *, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Outcomes at `target_design`; see `aline_tf.serving.signatures` for the outputs.

        Args:
            batch: fields of a Batch, whole or in part; `complete_inputs` says what is filled in.
            outputs: names of the outputs to be sent; all by default.

        Raises:
            InputError: the batch does not fit the model, or the server has no such model,
                version or signature.
            ConnectionError: no answer in time, or the server failed.
        """
        return self._call("predict", batch, outputs)

    def infer(
        self, batch: Mapping[str, Any], *, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Posterior of every parameter; errors as for `predict`.

        Args:
            batch, outputs: as for `predict`.
        """
        return self._call("infer", batch, outputs)

    def propose(
        self, batch: Mapping[str, Any], *, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Scores over `candidate_design` and the chosen index; errors as for `predict`.

        Args:
            batch, outputs: as for `predict`.
        """
        return self._call("propose", batch, outputs)

    def step(
        self, batch: Mapping[str, Any], *, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Prediction, inference and proposal from one pass, without quantiles, which cost as much
        again; errors as for `predict`.

        Args:
            batch, outputs: as for `predict`; where quantiles are among them, this is `answer`.
        """
        quantiles = any(name.endswith("quantiles") for name in outputs)
        return self._call("answer" if quantiles else "step", batch, outputs)

    def answer(
        self, batch: Mapping[str, Any], *, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """What `step` gives and all quantiles; errors as for `predict`.

        Args:
            batch, outputs: as for `predict`.
        """
        return self._call("answer", batch, outputs)

    def distributions(
        self, batch: Mapping[str, Any], *, outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """The parameters of all distributions, in the units that the model was trained in; errors
        as for `predict`. `aline_tf.models.distributions` makes draws and densities of them.

        Args:
            batch, outputs: as for `predict`.
        """
        return self._call("distributions", batch, outputs)

    def signatures(self) -> tuple[str, ...]:
        """Names of the signatures that the served model has; asked once, and again after an error.

        Raises:
            InputError: no such model.
            ConnectionError: no answer in time.
        """
        return tuple(self._signatures or self.metadata()["signatures"])

    def metadata(self) -> dict[str, Any]:
        """The model as the server describes it.

        Returns:
            {"model", "version", "signatures": {name: {"inputs" and "outputs": {name: {"dtype",
            "shape"}}}}}, None in a shape where the request chooses the size.
        """
        request = wire.message(
            "GetModelMetadataRequest", model_spec=self._spec(), metadata_field=["signature_def"]
        )
        response = self._ask("GetModelMetadata", request)
        packed = wire.entries(response.metadata)["signature_def"].value
        described = wire.message("SignatureDefMap")
        described.ParseFromString(packed)
        self._signatures = {
            name: {
                "inputs": _tensor_infos(signature.inputs),
                "outputs": _tensor_infos(signature.outputs),
            }
            for name, signature in sorted(wire.entries(described.signature_def).items())
        }
        return {
            "model": response.model_spec.name,
            "version": response.model_spec.version.value,
            "signatures": self._signatures,
        }

    def status(self) -> dict[int, dict[str, str]]:
        """Version number -> {"state": "AVAILABLE" or another, "error": why not}."""
        request = wire.message("GetModelStatusRequest", model_spec=self._spec())
        response = self._ask("GetModelStatus", request)
        return {
            status.version: {
                "state": wire.VERSION_STATES.get(status.state, str(status.state)),
                "error": status.status.error_message,
            }
            for status in response.model_version_status
        }

    def sizes(self) -> dict[str, int]:
        """The task's D, F and P (see `aline_tf.batch`), read off the model's signatures.

        Raises:
            InputError: no such model, or not one of an ALINE export.
            ConnectionError: no answer in time.
        """
        return _sizes(self._signatures or self.metadata()["signatures"])

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(
        self, signature: str, batch: Mapping[str, Any], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        signatures = self._signatures or self.metadata()["signatures"]
        if signature == "answer" and "theta_quantiles" in _outputs_of(signatures, "step"):
            # So were models exported by version 0.1.
            signature = "step"
        if signature not in signatures:
            raise InputError(
                f"expected a model with signature {signature}; received {self.model!r}, which has"
                f" {', '.join(sorted(signatures))}"
            )
        described = signatures[signature]["inputs"]
        if self.units is not None:
            batch = self._in_trained_units(batch)
        known, sizes = self._sizes_of
        if known is not signatures:
            sizes = _sizes(signatures)
            self._sizes_of = signatures, sizes
        arrays = complete_inputs(signature, batch, list(described), sizes)
        letters = {"M": "target_design", "N": "candidate_design"}
        places = {letter: arrays[x].shape[1] for letter, x in letters.items() if x in arrays}
        if counts(signature) and set(counts(signature)) <= set(described):
            arrays = never_empty(arrays)
        request = wire.message(
            "PredictRequest",
            model_spec=self._spec(signature),
            inputs=wire.to_tensors(arrays),
            output_filter=list(outputs),
        )
        response = self._ask("Predict", request)
        found = {
            name: wire.to_array(tensor)
            for name, tensor in sorted(wire.entries(response.outputs).items())
        }
        for name in found.keys() & OUTPUTS_BY_PLACE.keys():
            # Padding, this client's or that of a server which merged the request with others.
            found[name] = found[name][:, : places[OUTPUTS_BY_PLACE[name]]]
        return found if self.units is None else self.units.from_model(self._spec_of_units, found)

    def _in_trained_units(self, batch):
        try:
            return self.units.to_model(self._spec_of_units, batch)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"expected arrays of the shapes of a Batch, in units of {self.units}; received: "
                f"{error}"
            ) from error

    def _spec(self, signature: str = "") -> Any:
        spec = wire.message("ModelSpec", name=self.model, signature_name=signature)
        if self.version is not None:
            spec.version.value = self.version
        if self.label is not None:
            spec.version_label = self.label
        return spec

    def _ask(self, method: str, request: Any) -> Any:
        call, deadline = wire.method(self._channel, method), time.monotonic() + self.timeout
        pauses = self.retry.pauses()
        while True:
            try:
                return call(request, timeout=max(deadline - time.monotonic(), 1e-3))
            except grpc.RpcError as error:
                least = least_pause(error)
                pause = None if least is None else next(pauses, None)
                if pause is not None:
                    pause = max(pause, least)
                if pause is None or time.monotonic() + pause >= deadline:
                    raise self._explained(error) from error
            time.sleep(pause)

    def _explained(self, error: grpc.RpcError) -> Exception:
        code, details = error.code(), error.details() or ""
        # Another version may be served by now: the next request asks for its sizes again.
        self._signatures = None
        too_large = code == grpc.StatusCode.RESOURCE_EXHAUSTED and least_pause(error) is None
        if code in _REQUEST_AT_FAULT or too_large:
            return InputError(f"{details} (answered by {self.target})")
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return ConnectionError(
                f"expected an answer from {self.target} within {self.timeout:g} s; received none"
            )
        if code == grpc.StatusCode.UNAVAILABLE:
            return ConnectionError(
                f"expected a model server at {self.target}; received no connection ({details})"
            )
        if code == grpc.StatusCode.RESOURCE_EXHAUSTED:
            return ConnectionError(
                f"expected room at {self.target} within {self.timeout:g} s; received {details}"
            )
        return ConnectionError(
            f"expected an answer from {self.target}; received {code.name}: {details}"
        )


def task_spec(spec: TaskSpec | Mapping[str, Any] | str) -> TaskSpec:
    """A task as people say which.

    Args:
        spec: a `TaskSpec`, its dict, or the name of a packaged preset.

    Raises:
        InputError: none of them.
    """
    if isinstance(spec, TaskSpec):
        return spec
    if isinstance(spec, str):
        return preset_spec(spec)
    try:
        return TaskSpec.from_dict(dict(spec))
    except (TypeError, ValueError, KeyError) as error:
        raise InputError(
            f"expected a TaskSpec, its dict or the name of a preset; received {error}"
        ) from error


def _outputs_of(signatures: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return signatures[name]["outputs"] if name in signatures else {}


def _tensor_infos(repeated: Any) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "dtype": wire.dtype_name(info.dtype),
            "shape": [dim.size if dim.size >= 0 else None for dim in info.tensor_shape.dim],
        }
        for name, info in sorted(wire.entries(repeated).items())
    }


def _sizes(signatures: Mapping[str, Any]) -> dict[str, int]:
    """The task's D, F and P, read off the fixed sizes of the inputs."""
    sizes: dict[str, int] = {}
    for signature in signatures.values():
        for name, info in signature["inputs"].items():
            for letter, size in zip(BATCH_FIELDS.get(name, ()), info["shape"], strict=False):
                if size is not None:
                    sizes[letter] = size
    missing = [letter for letter in "DFP" if letter not in sizes]
    if missing:
        raise InputError(
            "expected a model with the inputs of an ALINE export; received one whose signatures"
            f" do not fix {', '.join(missing)}"
        )
    return sizes
