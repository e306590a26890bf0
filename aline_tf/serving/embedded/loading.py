"""A SavedModel in memory, as a server needs it."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from aline_tf.serving.embedded.graph_functions import NotPlainError, graph_functions
from aline_tf.serving.embedded.requests import ExpectedInput, expected_inputs
from aline_tf.serving.limits import Limits
from aline_tf.serving.signatures import SERVING_DEFAULT

LOG = logging.getLogger(__name__)
SAVED_MODEL = "saved_model.pb"
VARIABLES = "variables/variables"
#: The signature that is run before the first request: the next question, or else what is meant
#: where none is named. The others are ready a second after they are first asked for; each takes
#: 15 MB for as long as the model is loaded.
_WARMED_UP = ("propose", SERVING_DEFAULT)


@dataclasses.dataclass(frozen=True)
class LoadedModel:
    """A SavedModel in memory.

    Attributes:
        functions: signature name -> function of named tensors.
        definitions: signature name -> SignatureDef.
        limits: of a request's sizes, where the export has some.
        owner: keeps alive what the functions need, unless they do so themselves.
    """

    functions: dict[str, Callable[..., dict[str, tf.Tensor]]]
    definitions: dict[str, Any]
    limits: Limits | None = None
    owner: Any = None

    @functools.cached_property
    def inputs(self) -> dict[str, dict[str, ExpectedInput]]:
        """Signature name -> what it wants of every input."""
        return {
            name: expected_inputs(definition.inputs)
            for name, definition in self.definitions.items()
        }

    def warm_up(self) -> None:
        """Run the signature that is asked most on a row of zeros.

        TensorFlow prepares a graph when it first runs: better before the first request than during
        it.
        """
        present = [name for name in _WARMED_UP if name in self.functions]
        for name in present[:1] or self.functions:
            inputs = {
                key: tf.zeros(
                    [1 if dim.size < 0 else dim.size for dim in info.tensor_shape.dim], info.dtype
                )
                for key, info in self.definitions[name].inputs.items()
            }
            try:
                self.functions[name](**inputs)
            except tf.errors.OpError:
                # A model may refuse zeros; a request will tell whether anything is wrong.
                LOG.info("signature %s was not warmed up: it refuses zeros", name)


def load_model(path: Path) -> LoadedModel:
    """The SavedModel of a version directory.

    Args:
        path: of the directory.

    Raises:
        Exception: whatever a broken file makes TensorFlow raise.
    """
    limits = Limits.of_export(path)
    stored = saved_model_pb2.SavedModel()
    stored.ParseFromString((path / SAVED_MODEL).read_bytes())
    graphs = [graph for graph in stored.meta_graphs if "serve" in graph.meta_info_def.tags]
    if not graphs:
        raise ValueError(f"expected a graph to serve in {SAVED_MODEL}; received none")
    definitions = dict(graphs[0].signature_def)
    try:
        functions = graph_functions(graphs[0], path / VARIABLES)
        owner = None
    except NotPlainError as error:
        LOG.info("%s is loaded node by node: it holds %s", path, error)
        owner = tf.saved_model.load(str(path), tags=["serve"])
        functions = dict(owner.signatures)
    return LoadedModel(functions, {name: definitions[name] for name in functions}, limits, owner)
