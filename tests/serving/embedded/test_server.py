"""The embedded server answers TensorFlow Serving's own stubs as TensorFlow Serving does."""

import logging
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from aline_tf.errors import InputError
from aline_tf.serving.embedded import loading
from aline_tf.serving.embedded.repository import ModelRepository
from aline_tf.serving.embedded.server import Server

DESIGN = np.full([2, 3, 2], 1.25, np.float32)
MASK = np.array([[True, True, False], [True, False, False]])


@pytest.fixture
def prediction(toy_channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(toy_channel)


@pytest.fixture
def status(toy_channel):
    return model_service_pb2_grpc.ModelServiceStub(toy_channel).GetModelStatus


def predict_request(model="toy", version=None, signature="", label="", **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, signature
    if version is not None:
        request.model_spec.version.value = version
    if label:
        request.model_spec.version_label = label
    for name, array in ({"context_design": DESIGN, "context_mask": MASK} | inputs).items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return request


def refusal(method, request):
    with pytest.raises(grpc.RpcError) as caught:
        method(request, timeout=10)
    return caught.value.code(), caught.value.details()


class TestPredict:
    def test_default_version_and_signature(self, prediction):
        response = prediction.Predict(predict_request(), timeout=10)
        assert response.model_spec.name == "toy"
        assert response.model_spec.version.value == 12
        assert response.model_spec.signature_name == "serving_default"
        assert sorted(response.outputs) == ["count", "kept", "total"]
        np.testing.assert_allclose(tf.make_ndarray(response.outputs["total"]), [60.0, 30.0])
        np.testing.assert_array_equal(tf.make_ndarray(response.outputs["count"]), [2, 1])
        np.testing.assert_array_equal(tf.make_ndarray(response.outputs["kept"]), MASK)

    def test_answers_carry_typed_values(self, prediction):
        outputs = prediction.Predict(predict_request(), timeout=10).outputs
        assert list(outputs["total"].float_val) == [60.0, 30.0]
        assert list(outputs["count"].int_val) == [2, 1]
        assert len(outputs["kept"].bool_val) == MASK.size
        assert not any(tensor.tensor_content for tensor in outputs.values())

    def test_a_specific_version(self, prediction):
        request = predict_request(version=1, signature="total")
        response = prediction.Predict(request, timeout=10)
        assert response.model_spec.version.value == 1
        np.testing.assert_allclose(tf.make_ndarray(response.outputs["total"]), [5.0, 2.5])

    def test_output_filter(self, prediction):
        request = predict_request()
        request.output_filter.append("count")
        assert list(prediction.Predict(request, timeout=10).outputs) == ["count"]

    @pytest.mark.parametrize(
        ("changes", "code", "message"),
        [
            ({"model": "x"}, "NOT_FOUND", "expected a model of toy; received 'x'"),
            ({"version": 5}, "NOT_FOUND", "expected a version of model 'toy' (1, 12); received 5"),
            ({"label": "stable"}, "NOT_FOUND", "received 'stable'"),
            ({"signature": "x"}, "INVALID_ARGUMENT", "serving_default, total; received 'x'"),
            ({"context_mask": MASK[:1]}, "INVALID_ARGUMENT", "expected one size B (batch rows)"),
            ({"extra": MASK}, "INVALID_ARGUMENT", "unknown 'extra'"),
            ({"context_design": DESIGN[0]}, "INVALID_ARGUMENT", "received shape [3, 2]"),
            ({"context_mask": DESIGN}, "INVALID_ARGUMENT", "dtype bool; received float32"),
        ],
    )
    def test_bad_requests(self, prediction, changes, code, message):
        received_code, details = refusal(prediction.Predict, predict_request(**changes))
        assert received_code.name == code
        assert message in details
        assert "expected" in details and "received" in details
        assert "Traceback" not in details

    def test_unknown_output_filter(self, prediction):
        request = predict_request()
        request.output_filter.append("sum")
        code, details = refusal(prediction.Predict, request)
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert "count, kept, total; received 'sum'" in details

    def test_an_empty_request_is_answered_with_not_found(self, prediction):
        code, _ = refusal(prediction.Predict, predict_pb2.PredictRequest())
        assert code == grpc.StatusCode.NOT_FOUND

    def test_bytes_that_are_no_request_do_not_stop_the_server(self, toy_channel, prediction):
        raw = toy_channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        with pytest.raises(grpc.RpcError):
            raw(b"\xff\xff\xff\xff", timeout=10)
        assert prediction.Predict(predict_request(), timeout=10).outputs

    def test_methods_that_are_not_there_say_so(self, toy_channel, prediction):
        raw = toy_channel.unary_unary("/tensorflow.serving.PredictionService/Classify")
        with pytest.raises(grpc.RpcError) as caught:
            raw(b"", timeout=10)
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_requests_at_the_same_time_do_not_mix(prediction):
    def total(scale):
        design = np.full([2, 3, 2], scale, np.float32)
        outputs = prediction.Predict(predict_request(context_design=design), timeout=30).outputs
        return tf.make_ndarray(outputs["total"])

    scales = np.arange(64, dtype=np.float32)
    with ThreadPoolExecutor(16) as pool:
        totals = np.stack(list(pool.map(total, scales)))
    np.testing.assert_allclose(totals, scales[:, None] * [[48.0, 24.0]], rtol=1e-6)


class TestMetadata:
    def test_signatures_are_described(self, prediction):
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = "toy"
        response = prediction.GetModelMetadata(request, timeout=10)
        assert response.model_spec.version.value == 12
        described = get_model_metadata_pb2.SignatureDefMap()
        assert response.metadata["signature_def"].Unpack(described)
        inputs = described.signature_def["total"].inputs
        sizes = [dim.size for dim in inputs["context_design"].tensor_shape.dim]
        assert sizes == [-1, -1, 2]

    @pytest.mark.parametrize("fields", [[], ["weights"]])
    def test_only_signatures_can_be_requested(self, prediction, fields):
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
        request.model_spec.name = "toy"
        code, details = refusal(prediction.GetModelMetadata, request)
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert "expected metadata_field signature_def" in details


class TestStatus:
    def test_every_version_is_available(self, status):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "toy"
        states = status(request, timeout=10).model_version_status
        available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        assert [(state.version, state.state) for state in states] == [
            (12, available),
            (1, available),
        ]

    def test_a_version_that_does_not_load_says_so_and_the_one_before_answers(
        self, toy_models, tmp_path
    ):
        models = shutil.copytree(toy_models, tmp_path / "models")
        (models / "toy" / "13").mkdir()
        (models / "toy" / "13" / "saved_model.pb").write_bytes(b"not a model")
        server = Server(ModelRepository(models), port=0, warm_up=False, poll_seconds=0)
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "toy"
        with server, grpc.insecure_channel(server.target) as channel:
            ask = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus
            newest = ask(request, timeout=10).model_version_status[0]
            predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
            assert predict(predict_request(), timeout=10).model_spec.version.value == 12
        assert newest.version == 13
        assert newest.state == get_model_status_pb2.ModelVersionStatus.END
        assert newest.status.error_message

    def test_while_a_version_is_loaded_requests_are_told_so(self, toy_models, monkeypatch):
        may_load, seen = threading.Event(), []

        def load_model(path):
            may_load.wait(30)
            return loading.load_model(path)

        monkeypatch.setattr("aline_tf.serving.embedded.versions.load_model", load_model)
        server = Server(ModelRepository(toy_models), port=0, warm_up=False, poll_seconds=0)
        server.listen()
        loads = threading.Thread(target=server.load)
        loads.start()
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "toy"
        with grpc.insecure_channel(server.target) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
            ask = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus
            assert check(b"", timeout=10) == b"\x08\x02"
            code, details = refusal(predict, predict_request())
            assert code == grpc.StatusCode.UNAVAILABLE and "ask again" in details
            seen = [found.state for found in ask(request, timeout=10).model_version_status]
            may_load.set()
            loads.join(30)
            assert check(b"", timeout=10) == b"\x08\x01"
            assert predict(predict_request(), timeout=10).model_spec.version.value == 12
        server.stop(0)
        states = get_model_status_pb2.ModelVersionStatus
        assert seen == [states.LOADING, states.START]

    def test_unknown_model(self, status):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "x"
        assert refusal(status, request)[0] == grpc.StatusCode.NOT_FOUND


class TestHealth:
    def test_the_standard_check_answers_serving(self, toy_channel):
        check = toy_channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"", timeout=10) == b"\x08\x01"
        service = b"tensorflow.serving.PredictionService"
        assert check(bytes([0x0A, len(service)]) + service, timeout=10) == b"\x08\x01"

    def test_an_unknown_service_is_not_found(self, toy_channel):
        check = toy_channel.unary_unary("/grpc.health.v1.Health/Check")
        with pytest.raises(grpc.RpcError) as caught:
            check(b"\x0a\x01x", timeout=10)
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND


class TestLogs:
    def test_a_request_leaves_its_id_model_signature_and_shapes_but_no_value(
        self, prediction, caplog
    ):
        caplog.set_level(logging.INFO, logger="aline_tf.serving")
        secret = np.full([2, 3, 2], 86753.0, np.float32)
        _, call = prediction.Predict.with_call(
            predict_request(context_design=secret),
            timeout=10,
            metadata=[("x-request-id", "my-id-1")],
        )
        assert dict(call.trailing_metadata())["x-request-id"] == "my-id-1"
        (line,) = _lines(caplog, "my-id-1")
        for part in ("model='toy'", "version=12", "'serving_default'", "[2, 3, 2]", "status=OK"):
            assert part in line
        assert "86753" not in caplog.text

    def test_an_id_that_would_forge_a_line_is_replaced(self, prediction, caplog):
        caplog.set_level(logging.INFO, logger="aline_tf.serving")
        _, call = prediction.Predict.with_call(
            predict_request(), timeout=10, metadata=[("x-request-id", "a b=c" * 40)]
        )
        assert len(dict(call.trailing_metadata())["x-request-id"]) == 16

    def test_a_refusal_is_logged_with_its_status(self, prediction, caplog):
        caplog.set_level(logging.INFO, logger="aline_tf.serving")
        with pytest.raises(grpc.RpcError):
            prediction.Predict(
                predict_request(model="a\nb"), timeout=10, metadata=[("x-request-id", "my-id-2")]
            )
        (line,) = _lines(caplog, "my-id-2")
        assert "status=NOT_FOUND" in line and "\n" not in line


def _lines(caplog, request_id):
    # The line is written while the answer already travels.
    for _ in range(100):
        lines = [text for text in caplog.messages if f"id={request_id} " in text]
        if lines:
            return lines
        time.sleep(0.02)
    return []


class TestLifecycle:
    def test_a_taken_port_is_bad_input(self, toy_models, toy_server):
        second = Server(ModelRepository(toy_models), port=toy_server.port, warm_up=False)
        with pytest.raises(InputError, match="expected an address that is free to listen on"):
            second.start()

    def test_where_nothing_can_be_loaded_the_start_fails_in_one_sentence(self, tmp_path):
        (tmp_path / "toy" / "3").mkdir(parents=True)
        (tmp_path / "toy" / "3" / "saved_model.pb").write_bytes(b"not a model")
        server = Server(ModelRepository(tmp_path), port=0)
        with pytest.raises(InputError, match=r"a model that can be loaded .* toy version 3 \("):
            server.start()
        with grpc.insecure_channel(server.target) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            assert refusal(stub.Predict, predict_request())[0] == grpc.StatusCode.UNAVAILABLE

    def test_it_listens_on_loopback_by_default(self, toy_server):
        assert toy_server.target == f"127.0.0.1:{toy_server.port}"

    def test_a_version_that_arrives_is_served_without_a_restart(self, toy_models, tmp_path):
        models = shutil.copytree(toy_models, tmp_path / "models")
        repository = ModelRepository(models)
        with Server(repository, port=0, poll_seconds=0.05, warm_up=False) as server:
            shutil.copytree(models / "toy" / "1", models / "toy" / ".arriving")
            (models / "toy" / ".arriving").rename(models / "toy" / "20")
            with grpc.insecure_channel(server.target) as channel:
                stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
                for _ in range(200):
                    version = stub.Predict(predict_request(), timeout=10).model_spec.version.value
                    if version == 20:
                        break
                    time.sleep(0.05)
            assert version == 20

    def test_after_stop_nothing_answers(self, toy_models):
        server = Server(ModelRepository(toy_models), port=0, warm_up=True, poll_seconds=0)
        with server:
            target = server.target
        with grpc.insecure_channel(target) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            code, _ = refusal(stub.Predict, predict_request())
        assert code == grpc.StatusCode.UNAVAILABLE
