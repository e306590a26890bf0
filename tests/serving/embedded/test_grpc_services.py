"""Calls over gRPC when the server is busy, when clients leave, and when bytes are no message."""

import logging
import threading

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from aline_tf.serving.calls.retry import least_pause
from aline_tf.serving.embedded import answers
from aline_tf.serving.embedded.repository import ModelRepository
from aline_tf.serving.embedded.server import Server
from aline_tf.serving.embedded.work_queue import QueueSettings

PREDICT = "/tensorflow.serving.PredictionService/Predict"


@pytest.fixture
def request_bytes():
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "toy"
    arrays = {"context_design": np.ones([1, 1, 2], np.float32), "context_mask": [[True]]}
    for name, array in arrays.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return request.SerializeToString()


@pytest.fixture
def busy(toy_models, monkeypatch):
    """A server with one worker and room for one more, whose passes take until `opened` is set."""
    opened, started, run = threading.Event(), threading.Semaphore(0), answers._outputs
    ran = []

    def outputs(*arguments):
        ran.append(arguments)
        started.release()
        assert opened.wait(30)
        return run(*arguments)

    monkeypatch.setattr(answers, "_outputs", outputs)
    settings = {"port": 0, "rest_port": 0, "warm_up": False, "poll_seconds": 0}
    queue = QueueSettings(workers=1, capacity=1)
    with Server(ModelRepository(toy_models), queue=queue, **settings) as server:
        server.opened, server.started, server.ran = opened, started, ran
        with grpc.insecure_channel(server.target) as channel:
            server.channel = channel
            yield server
        opened.set()


def test_a_busy_server_refuses_tells_its_health_and_drops_what_nobody_waits_for(
    busy, request_bytes
):
    predict = busy.channel.unary_unary(PREDICT)
    first = predict.future(request_bytes, timeout=60)
    assert busy.started.acquire(timeout=30)
    second = predict.future(request_bytes, timeout=60)
    waiting = busy._answers._queue._waiting
    while not waiting:
        waiting = busy._answers._queue._waiting
    with pytest.raises(grpc.RpcError) as caught:
        predict(request_bytes, timeout=30)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "ask again" in caught.value.details()
    assert least_pause(caught.value) == 0.0
    health = busy.channel.unary_unary("/grpc.health.v1.Health/Check")
    assert health(b"", timeout=30) == b"\x08\x01"
    second.cancel()
    while busy._answers._queue._waiting:
        pass
    busy.opened.set()
    assert first.result(30)
    assert len(busy.ran) == 1


def test_what_is_over_its_deadline_is_not_run(busy, request_bytes):
    predict = busy.channel.unary_unary(PREDICT)
    first = predict.future(request_bytes, timeout=60)
    assert busy.started.acquire(timeout=30)
    with pytest.raises(grpc.RpcError) as caught:
        predict(request_bytes, timeout=0.2)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    while busy._answers._queue._waiting:
        pass
    busy.opened.set()
    assert first.result(30)
    assert len(busy.ran) == 1


def test_what_does_not_fit_into_memory_is_not_to_be_asked_again(
    toy_channel, request_bytes, monkeypatch
):
    def outputs(*_):
        raise MemoryError

    monkeypatch.setattr(answers, "_outputs", outputs)
    with pytest.raises(grpc.RpcError) as caught:
        toy_channel.unary_unary(PREDICT)(request_bytes, timeout=30)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert least_pause(caught.value) is None


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        (PREDICT, "PredictRequest"),
        ("/tensorflow.serving.PredictionService/GetModelMetadata", "GetModelMetadataRequest"),
        ("/tensorflow.serving.ModelService/GetModelStatus", "GetModelStatusRequest"),
    ],
)
def test_bytes_that_are_no_message_are_refused_in_one_line(toy_channel, caplog, method, kind):
    caplog.set_level(logging.INFO)
    with pytest.raises(grpc.RpcError) as caught:
        toy_channel.unary_unary(method)(b"\xff\xff\xff\xff", timeout=30)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == f"expected a {kind}; received 4 bytes that are none"
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("seed", range(3))
def test_whatever_bytes_come_they_are_answered(toy_channel, request_bytes, seed, caplog):
    rng = np.random.default_rng(seed)
    fine = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
    for _ in range(60):
        mutated = bytearray(request_bytes)
        for place in rng.integers(0, len(mutated), rng.integers(1, 6)):
            mutated[place] = rng.integers(256)
        cut = bytes(mutated[: rng.integers(1, len(mutated) + 1)])
        try:
            toy_channel.unary_unary(PREDICT)(cut, timeout=30)
        except grpc.RpcError as error:
            assert error.code() in fine, error.details()
    assert "Traceback" not in caplog.text


def test_health_goes_by_tensorflow_servings_names(toy_channel):
    check = toy_channel.unary_unary("/grpc.health.v1.Health/Check")
    for service in (b"PredictionService", b"ModelService"):
        assert check(bytes([0x0A, len(service)]) + service, timeout=30) == b"\x08\x01"
