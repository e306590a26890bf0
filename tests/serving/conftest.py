"""Two kinds of model to serve: a toy that loads at once, and a tiny untrained ALINE."""

import functools
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf

from aline_tf.spec import Channel, Parameter, TaskSpec
from tests.seeds import seed_weights


class Toy(tf.Module):
    """Scales and sums designs where the mask is True; enough to tell versions apart."""

    def __init__(self, scale: float):
        super().__init__()
        self.scale = tf.Variable(scale)

    def total(self, **inputs):
        design, mask = inputs["context_design"], inputs["context_mask"]
        kept = tf.where(mask[..., None], design, 0.0)
        return {
            "total": self.scale * tf.reduce_sum(kept, axis=[1, 2]),
            "count": tf.reduce_sum(tf.cast(mask, tf.int32), axis=1),
            "kept": mask,
        }


def save_toy(path: Path, scale: float) -> Path:
    toy = Toy(scale)
    function = tf.function(toy.total).get_concrete_function(
        context_design=tf.TensorSpec([None, None, 2], tf.float32, name="context_design"),
        context_mask=tf.TensorSpec([None, None], tf.bool, name="context_mask"),
    )
    signatures = {"total": function, "serving_default": function}
    tf.saved_model.save(toy, str(path), signatures=signatures)
    return path


@pytest.fixture(scope="session")
def toy_models(tmp_path_factory) -> Path:
    """A base path with the model `toy` in versions 1 (scale 1) and 12 (scale 12)."""
    base = tmp_path_factory.mktemp("toys")
    for version in (1, 12):
        save_toy(base / "toy" / str(version), float(version))
    return base


def tiny_spec() -> TaskSpec:
    """Every kind of parameter, two fields and two kinds of outcome."""
    return TaskSpec(
        name="tiny",
        design_names=("x", "is_first", "is_second"),
        design_low=(-2.0, 0.0, 0.0),
        design_high=(2.0, 1.0, 1.0),
        fields=(Channel("first"), Channel("second", "binary")),
        outcomes=(Channel("first"), Channel("second", "binary")),
        parameters=(
            Parameter("inside", low=-1.0, high=3.0),
            Parameter("anywhere", "real", scale=2.0),
            Parameter("maybe", "spike_slab"),
            Parameter("either", "binary"),
        ),
        horizon=4,
    )


@functools.cache
def make_tiny_model():
    """Made once, also for tests of other rooms that have these fixtures; so is its export."""
    from aline_tf.models.aline import ALINE

    seed_weights(3)
    model = ALINE(
        tiny_spec(), hidden_dim=8, num_layers=2, num_heads=2, intermediate_dim=8, components=2
    )
    model.build()
    return model


@functools.cache
def export_tiny_model(make_directory) -> Path:
    from aline_tf.serving.export import export_model

    base = make_directory("aline")
    export_model(make_tiny_model(), base / "tiny" / "1")
    return base


@pytest.fixture(scope="session")
def tiny_model():
    """An untrained ALINE with every kind of parameter, two fields and two kinds of outcome."""
    return make_tiny_model()


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory) -> Path:
    """A base path with the tiny ALINE exported as version 1 of the model `tiny`."""
    return export_tiny_model(tmp_path_factory.mktemp)


@pytest.fixture(scope="session")
def tiny_server(tiny_models):
    from aline_tf.serving.embedded.repository import ModelRepository
    from aline_tf.serving.embedded.server import Server

    repository = ModelRepository(tiny_models)
    settings = {"warm_up": False, "poll_seconds": 0, "rest_port": 0, "programs": 0}
    with Server(repository, port=0, **settings) as server:
        yield server


@pytest.fixture(scope="session")
def psychometric_server():
    """The shipped psychometric model, alone."""
    from aline_tf.models.packaged_presets import savedmodels_dir
    from aline_tf.serving.embedded.repository import ModelRepository
    from aline_tf.serving.embedded.server import Server

    repository = ModelRepository(savedmodels_dir() / "psychometric")
    with Server(repository, port=0, warm_up=False, poll_seconds=0, programs=0) as server:
        yield server


@pytest.fixture(scope="session")
def toy_server(toy_models):
    from aline_tf.serving.embedded.repository import ModelRepository
    from aline_tf.serving.embedded.server import Server

    repository = ModelRepository(toy_models)
    settings = {"warm_up": False, "poll_seconds": 0, "rest_port": 0}
    with Server(repository, port=0, **settings) as server:
        yield server


@pytest.fixture
def toy_channel(toy_server):
    with grpc.insecure_channel(toy_server.target) as channel:
        yield channel


@pytest.fixture(scope="session")
def unchecked():
    """A function (version directory, signature) that gives a function of named arrays which runs
    the graph as TensorFlow Serving does: nothing holds the arrays to the signature's shapes."""
    from tensorflow.core.protobuf import config_pb2

    def load(version, signature):
        session = tf.compat.v1.Session(graph=tf.Graph())
        graph = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(version))
        definition = graph.signature_def[signature]
        names, outputs = sorted(definition.inputs), sorted(definition.outputs)
        options = config_pb2.CallableOptions()
        options.feed.extend(definition.inputs[name].name for name in names)
        options.fetch.extend(definition.outputs[name].name for name in outputs)
        run = session._make_callable_from_options(options)
        defaults = {name: tf.make_ndarray(x) for name, x in definition.defaults.items()}

        def answer(batch):
            inputs = defaults | dict(batch)
            return dict(zip(outputs, run(*(inputs[name] for name in names)), strict=True))

        return answer

    return load


@pytest.fixture
def tiny_batch():
    """A function of (B, C) that gives a whole random Batch for the tiny model."""

    def build(rows: int, context: int, targets: int = 3, candidates: int = 7) -> dict:
        rng = np.random.default_rng(rows + 100 * context)
        second = rng.integers(0, 2, [rows, context + targets + candidates])
        design = np.stack([rng.uniform(-2, 2, second.shape), 1 - second, second], axis=-1)
        design = design.astype(np.float32)
        status = rng.integers(0, 3, [rows, context, 2]).astype(np.int32)
        outcome = np.stack(
            [rng.normal(size=[rows, context]), rng.integers(0, 2, [rows, context])], axis=-1
        )
        known = rng.random([rows, 4]) < 0.3
        candidate_mask = rng.random([rows, candidates]) < 0.7
        candidate_mask[:, 0] = True
        return {
            "context_design": design[:, :context],
            "context_outcome": np.where(status == 1, outcome, 0).astype(np.float32),
            "context_status": status,
            "context_mask": rng.random([rows, context]) < 0.8,
            "known_theta": np.where(known, [[0.5, 1.0, 0.0, 1.0]], 0).astype(np.float32),
            "known_mask": known,
            "theta_mask": rng.random([rows, 4]) < 0.5,
            "target_design": design[:, context : context + targets],
            "target_mask": rng.random([rows, targets]) < 0.5,
            "candidate_design": design[:, context + targets :],
            "candidate_mask": candidate_mask,
        }

    return build
