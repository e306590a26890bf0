"""What an export carries beside its graph is true: its requests are answered, its page works."""

import json
import re

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

from aline_tf.models.packaged_presets import packaged_presets, preset_spec, savedmodels_dir
from aline_tf.serving.client import Client
from aline_tf.serving.extras.example_requests import example_request
from aline_tf.serving.extras.reference_page import REFERENCE_FILE, reference_page
from aline_tf.serving.extras.warm_up_requests import WARM_UP_FILE, write_warm_up_requests
from aline_tf.serving.limits import Limits
from aline_tf.serving.signatures import SIGNATURES, counts, dtype


@pytest.fixture
def version(tiny_models):
    return tiny_models / "tiny" / "1"


@pytest.fixture
def page(version):
    return (version / REFERENCE_FILE).read_text()


@pytest.fixture
def predict(tiny_server):
    with grpc.insecure_channel(tiny_server.target) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict


def of_json(body):
    """The signature and the inputs of a request in JSON, read as TensorFlow Serving's REST reads
    it: rows have every input of the signature and all of them have one shape."""
    request = json.loads(body)
    signature = request["signature_name"]
    names = {*SIGNATURES[signature], *counts(signature)}
    if "inputs" in request:
        columns = request["inputs"]
    else:
        columns = {name: [row[name] for row in request["instances"]] for name in names}
        assert all(set(row) == names for row in request["instances"])
    assert set(columns) == names
    arrays = {name: np.array(column) for name, column in columns.items()}
    for name, array in arrays.items():
        assert not array.size or (array.dtype.kind == "b") == (dtype(name) == "bool")
    return signature, {name: array.astype(dtype(name)) for name, array in arrays.items()}


class TestWarmUp:
    def test_every_signature_is_warmed_up_by_requests_that_are_answered(self, version, predict):
        records = tf.data.TFRecordDataset(str(version / WARM_UP_FILE)).as_numpy_iterator()
        signatures = []
        for record in records:
            request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
            assert request.model_spec.name == "tiny"
            assert predict(request, timeout=60).outputs
            signatures.append(request.model_spec.signature_name)
        assert signatures == [name for name in (*SIGNATURES, "serving_default") for _ in range(2)]

    def test_none_is_above_the_limits(self, tiny_model, tmp_path):
        limits = Limits(C=1, N=3)
        write_warm_up_requests(tmp_path, tiny_model.spec, limits)
        for record in tf.data.TFRecordDataset(str(tmp_path / WARM_UP_FILE)).as_numpy_iterator():
            inputs = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request.inputs
            assert inputs["context_mask"].tensor_shape.dim[1].size == 1
            if "candidate_mask" in inputs:
                assert inputs["candidate_mask"].tensor_shape.dim[1].size <= 3


class TestExamples:
    @pytest.mark.parametrize("signature", SIGNATURES)
    def test_an_empty_start_in_json_is_what_an_empty_batch_is(
        self, version, tiny_model, tiny_server, unchecked, signature
    ):
        inputs = example_request(tiny_model.spec, signature)
        row = {name: array[0].tolist() for name, array in inputs.items()}
        body = json.dumps({"signature_name": signature, "instances": [row, row]})
        columns = {name: array.tolist() for name, array in inputs.items()}
        other = json.dumps({"signature_name": signature, "inputs": columns})
        run = unchecked(version, signature)
        found, again = run(of_json(body)[1]), run(of_json(other)[1])
        short = {k: v for k, v in inputs.items() if k == "candidate_design"}
        if signature == "predict":
            short = {"target_design": inputs["target_design"]}
        with Client(tiny_server.target, "tiny", timeout=60) as client:
            expected = getattr(client, signature)(short)
        for name, array in expected.items():
            columns = slice(None, array.shape[1] if array.ndim > 1 else None)
            for answer in (found[name][:1], found[name][1:], again[name]):
                if array.ndim > 1:
                    answer = answer[:, columns]
                np.testing.assert_allclose(answer, array, rtol=1e-5, atol=1e-5, err_msg=name)

    @pytest.mark.parametrize("name", packaged_presets())
    def test_designs_of_examples_are_of_the_task(self, name):
        spec = preset_spec(name)
        inputs = example_request(spec, "answer", context=3, targets=2, candidates=7)
        for kind in ("context", "target", "candidate"):
            design = inputs[f"{kind}_design"][0]
            assert (design >= spec.design_low).all() and (design <= spec.design_high).all()
            if len(spec.outcomes) > 1:
                np.testing.assert_array_equal(design[:, -len(spec.outcomes) :].sum(axis=1), 1.0)
        np.testing.assert_array_equal(inputs["candidate_count"], [7])


class TestPage:
    def test_it_names_every_input_output_limit_and_parameter(self, page, tiny_model, unchecked):
        names = {name for signature in SIGNATURES for name in counts(signature)}
        names |= {name for group in SIGNATURES.values() for name in group}
        names |= {"mean", "quantiles", "theta_probability", "scores", "entropy", "index", "pairs"}
        names |= {*tiny_model.spec.parameter_names, *tiny_model.spec.design_names, *SIGNATURES}
        for name in names:
            assert f"`{name}`" in page, name
        assert page.startswith("# tiny: reference")
        assert "| `context_outcome` | [B, C, 2] | float32 |" in page
        assert str(Limits().pairs) in page

    def test_what_it_says_of_a_signature_is_what_the_graph_has(self, page, version):
        graph = tf.saved_model.load(str(version))
        for name in SIGNATURES:
            row = re.search(rf"^\| `{name}` \| (.*) \| (.*) \|$", page, re.MULTILINE)
            function = graph.signatures[name]
            for cell, expected in (
                (row[1], function.structured_input_signature[1]),
                (row[2], function.structured_outputs),
            ):
                assert set(re.findall(r"`(\w+)`", cell)) == set(expected)

    def test_its_requests_are_answered(self, page, version, unchecked, predict, tiny_server):
        signature, inputs = of_json(re.search(r"-d '(\{.*\})'\n", page)[1])
        by_json = unchecked(version, signature)(inputs)["index"]
        message = re.search(r"-d \\\n  '(\{.*\})'", page)[1]
        request = json_format.Parse(message, predict_pb2.PredictRequest())
        by_shell = tf.make_ndarray(predict(request, timeout=60).outputs["index"])
        code = re.search(r"```python\n(.*)```", page, re.DOTALL)[1]
        printed = []
        code = code.replace("127.0.0.1:8500", tiny_server.target)
        exec(code, {"print": printed.append})
        np.testing.assert_array_equal(by_json, by_shell)
        np.testing.assert_array_equal(printed[0], by_shell)

    @pytest.mark.parametrize("name", packaged_presets())
    def test_that_of_a_shipped_model_comes_out_the_same_when_it_is_written_again(self, name):
        version = savedmodels_dir() / name / "1"
        page = reference_page(preset_spec(name), Limits.of_export(version), name)
        assert page == (version / REFERENCE_FILE).read_text()
        shown = page[page.index('"inputs": {') :]
        places = [
            shown.index(f'"{name}": {{"dtype"')
            for name in example_request(preset_spec(name), "propose")
        ]
        assert places == sorted(places)

    @pytest.mark.parametrize("name", packaged_presets())
    def test_there_is_one_for_every_task(self, name):
        page = reference_page(preset_spec(name), Limits())
        assert page.count("\n## ") == 9
        assert "NaN" not in page and "None" not in page
        assert of_json(re.search(r"-d '(\{.*\})'\n", page)[1])[0] == "propose"
