"""The models in savedmodels/: small, complete, and the same numbers served as in memory."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from aline_tf import draws
from aline_tf.batch import BATCH_FIELDS
from aline_tf.models.packaged_presets import savedmodels_dir
from aline_tf.models.presets import load_preset, preset_metadata
from aline_tf.serving.graph.signature_functions import choice
from aline_tf.serving.limits import LIMITS_FILE
from aline_tf.serving.signatures import SIGNATURES
from aline_tf.tasks import task_by_name

NAMES = ("psychometric", "migraine", "location_finding", "ces", "gp1d", "gp2d", "hpo")
SIZES = [(rows, context) for rows in (1, 64) for context in (0, 1, 30)]


@pytest.fixture(scope="module")
def server():
    from aline_tf.serving.embedded.repository import ModelRepository
    from aline_tf.serving.embedded.server import Server

    repository = ModelRepository(savedmodels_dir())
    with Server(repository, port=0, warm_up=False, poll_seconds=0) as running:
        yield running


@pytest.fixture(scope="module")
def in_process():
    """A function (name, Batch) that gives what the preset's Keras model answers, by the names of
    the signature."""
    models = {}

    def compute(name, batch):
        if name not in models:
            models[name] = load_preset(savedmodels_dir() / name / "1", task=name)
        answer = dict(models[name].answer(batch))
        chosen = choice(answer.pop("candidate_logits"), tf.constant(batch["candidate_mask"]))
        answer = {key.removeprefix("target_"): value for key, value in answer.items()} | chosen
        return {key: np.asarray(value) for key, value in answer.items()}

    return compute


def simulated_batch(name: str, rows: int, context: int) -> dict:
    """A Batch of simulated rows with `context` candidates already acquired."""
    episode = task_by_name(name).sample_episodes(draws.as_seed(rows), rows, context + 12)
    batch = {key: episode[key].numpy() for key in BATCH_FIELDS}
    for key in ("design", "outcome", "status"):
        acquired = episode[f"candidate_{key}"].numpy()[:, :context]
        # Only acquisitions: the histories of the migraine task have a size of their own.
        batch[f"context_{key}"] = acquired
    batch["context_mask"] = batch["candidate_mask"][:, :context]
    for key in ("candidate_design", "candidate_mask"):
        batch[key] = batch[key][:, context:]
    return batch


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("rows", "context"), SIZES)
def test_a_bare_client_gets_the_numbers_of_the_preset(server, in_process, name, rows, context):
    batch = simulated_batch(name, rows, context)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    signatures = server.repository.find(name).load().definitions
    # A model that was exported by version 0.1 has quantiles among the outputs of `step`.
    request.model_spec.signature_name = "answer" if "answer" in signatures else "step"
    for key in SIGNATURES["step"]:
        request.inputs[key].CopyFrom(tf.make_tensor_proto(batch[key]))
    with grpc.insecure_channel(server.target) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        outputs = stub.Predict(request, timeout=120).outputs
    expected = in_process(name, batch)
    assert set(outputs) == set(expected)
    # Scores are read by their differences, and are right to 1e-5 of the largest of them.
    scores = expected["scores"]
    largest = np.abs(scores[scores > -1e8]).max(initial=0.0)
    for key, tensor in outputs.items():
        atol = 1e-5 * (max(1.0, largest) if key in ("scores", "entropy") else 1.0)
        np.testing.assert_allclose(
            tf.make_ndarray(tensor), expected[key], rtol=1e-5, atol=atol, err_msg=key
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_session_loader_loads_every_signature(name):
    path = str(savedmodels_dir() / name / "1")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        graph = tf.compat.v1.saved_model.loader.load(session, ["serve"], path)
    expected = set(SIGNATURES)
    if not (savedmodels_dir() / name / "1" / LIMITS_FILE).is_file():
        expected -= {"answer"}  # exported by version 0.1
    assert expected <= set(graph.signature_def)


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_directory_is_small_documented_and_fits_its_task(name):
    version = savedmodels_dir() / name / "1"
    size = sum(path.stat().st_size for path in version.rglob("*") if path.is_file())
    assert size < 10e6
    assert (version / "MODEL_CARD.md").stat().st_size > 500
    header = (version / "training_log.csv").read_text().splitlines()[0]
    assert {"inference", "reward"} <= set(header.split(","))
    assert preset_metadata(version)["task"] == name
    assert load_preset(version).spec == task_by_name(name).spec
