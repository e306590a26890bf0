"""Whoever asks, whatever the sizes: the served model gives the numbers of the one in memory."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from aline_tf.serving.client import Client
from aline_tf.serving.signatures import SIGNATURES, counts

SIZES = [(rows, context) for rows in (1, 64) for context in (0, 1, 30)]


@pytest.fixture(scope="module")
def in_process(tiny_model):
    """A function of a Batch that gives all outputs, straight from the Keras model."""
    from aline_tf.serving.graph.signature_functions import choice

    @tf.function(autograph=False, reduce_retracing=True)
    def compute(batch):
        outputs = tiny_model(batch)
        theta = tiny_model.theta_summary(outputs)
        return (
            tiny_model.target_summary(outputs, batch)
            | {f"theta_{name}": tensor for name, tensor in theta.items()}
            | choice(outputs["candidate_logits"], batch["candidate_mask"])
            | {name: outputs[name] for name in ("theta_raw", "target_raw", "candidate_logits")}
        )

    return lambda batch: {
        name: tensor.numpy()
        for name, tensor in compute({k: tf.constant(v) for k, v in batch.items()}).items()
    }


def assert_same(answers, expected, quantiles=1e-5):
    """Equal to 1e-5, quantiles to what is given."""
    assert answers
    for name, array in answers.items():
        assert array.shape == expected[name].shape, name
        if name == "index":
            # Of candidates whose scores are equal but for rounding either is the choice.
            rows = np.flatnonzero(array != expected[name])
            ours, theirs = (
                expected["scores"][rows, index[rows]] for index in (array, expected[name])
            )
            assert (array[rows] >= 0).all() and (expected[name][rows] >= 0).all()
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5, err_msg=name)
            continue
        tolerance = quantiles if name.endswith("quantiles") else 1e-5
        np.testing.assert_allclose(
            array, expected[name], rtol=tolerance, atol=tolerance, err_msg=name
        )


@pytest.mark.parametrize(("rows", "context"), SIZES)
class TestAgreement:
    def test_bare_stubs(self, tiny_server, tiny_batch, in_process, rows, context):
        batch = tiny_batch(rows, context)
        expected = in_process(batch)
        with grpc.insecure_channel(tiny_server.target) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            for signature, names in SIGNATURES.items():
                request = predict_pb2.PredictRequest()
                request.model_spec.name = "tiny"
                request.model_spec.signature_name = signature
                for name in names:
                    request.inputs[name].CopyFrom(tf.make_tensor_proto(batch[name]))
                outputs = stub.Predict(request, timeout=60).outputs
                answers = {name: tf.make_ndarray(tensor) for name, tensor in outputs.items()}
                assert_same(answers, expected)

    def test_ovmsclient(self, tiny_server, tiny_batch, in_process, rows, context):
        ovmsclient = pytest.importorskip("ovmsclient")
        batch = tiny_batch(rows, context)
        client = ovmsclient.make_grpc_client(tiny_server.target)
        answers = client.predict(inputs=batch, model_name="tiny", timeout=60)
        assert_same(answers, in_process(batch))

    def test_client(self, tiny_server, tiny_batch, in_process, rows, context):
        batch = tiny_batch(rows, context)
        expected = in_process(batch)
        with Client(tiny_server.target, "tiny", timeout=60) as client:
            for signature in SIGNATURES:
                assert_same(getattr(client, signature)(batch), expected)


def test_ovmsclient_reads_metadata_and_status(tiny_server):
    ovmsclient = pytest.importorskip("ovmsclient")
    client = ovmsclient.make_grpc_client(tiny_server.target)
    metadata = client.get_model_metadata(model_name="tiny")
    assert metadata["model_version"] == 1
    assert set(metadata["inputs"]) == {*SIGNATURES["step"], *counts("step")}
    assert metadata["inputs"]["context_status"] == {"shape": [-1, -1, 2], "dtype": "DT_INT32"}
    assert client.get_model_status(model_name="tiny")[1]["state"] == "AVAILABLE"


def test_masked_rows_and_order_do_not_matter_over_the_wire(tiny_server, tiny_batch):
    batch = tiny_batch(2, 5)
    padded = dict(batch)
    for name in ("context_design", "context_outcome", "context_status", "context_mask"):
        extra = np.zeros([2, 3, *batch[name].shape[2:]], batch[name].dtype)
        padded[name] = np.concatenate([extra, batch[name][:, ::-1]], axis=1)
    with Client(tiny_server.target, "tiny", timeout=60) as client:
        # Sums in another order round differently, and where the density is small a rounding of the
        # cdf moves a quantile by many of them.
        assert_same(client.answer(padded), client.answer(batch), quantiles=1e-4)
