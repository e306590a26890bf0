"""The REST interface gives the numbers of gRPC, in TensorFlow Serving's forms."""

import http.client
import json
import socket

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.serving.client import Client
from aline_tf.serving.embedded.rest import LARGEST_BODY, RestServer
from aline_tf.serving.extras.example_requests import example_request

DESIGN, MASK = [[[1.25, 1.25], [1.25, 1.25]], [[1, 1], [9, 9]]], [[True, True], [True, False]]


def ask(server, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(server.host, server.rest_port, timeout=30)
    content = body if body is None or isinstance(body, bytes) else json.dumps(body)
    connection.request(method, path, content, headers or {})
    response = connection.getresponse()
    found = json.loads(response.read())
    connection.close()
    assert response.headers["Content-Type"] == "application/json"
    return response.status, found


def predict(server, body, model="toy"):
    return ask(server, "POST", f"/v1/models/{model}:predict", body)


class TestPredict:
    def test_row_by_row(self, toy_server):
        rows = [
            {"context_design": design, "context_mask": mask}
            for design, mask in zip(DESIGN, MASK, strict=True)
        ]
        status, found = predict(toy_server, {"instances": rows})
        assert status == 200
        assert found == {
            "predictions": [
                {"total": 60.0, "count": 2, "kept": [True, True]},
                {"total": 24.0, "count": 1, "kept": [True, False]},
            ]
        }

    def test_input_by_input(self, toy_server):
        inputs = {"context_design": DESIGN, "context_mask": MASK}
        status, found = predict(toy_server, {"inputs": inputs, "signature_name": "total"})
        assert status == 200
        assert found == {"outputs": {"total": [60.0, 24.0], "count": [2, 1], "kept": MASK}}

    @pytest.mark.parametrize(("place", "total"), [("", 24.0), ("/versions/1", 2.0)])
    def test_a_version(self, toy_server, place, total):
        row = {"context_design": DESIGN[1], "context_mask": MASK[1]}
        status, found = ask(
            toy_server, "POST", f"/v1/models/toy{place}:predict", {"instances": [row]}
        )
        assert (status, found["predictions"][0]["total"]) == (200, total)

    @pytest.mark.parametrize("signature", ["step", "answer", "predict", "infer", "propose"])
    def test_the_requests_of_the_reference_page_and_grpcs_numbers(
        self, tiny_server, tiny_model, signature
    ):
        inputs = example_request(tiny_model.spec, signature, context=0, candidates=3)
        row = {name: array[0].tolist() for name, array in inputs.items()}
        body = {"signature_name": signature, "instances": [row]}
        status, found = predict(tiny_server, body, "tiny")
        assert status == 200, found
        batch = {name: array for name, array in inputs.items() if not name.endswith("count")}
        with Client(tiny_server.target, "tiny") as client:
            expected = getattr(client, signature)(batch)
        for name, value in found["predictions"][0].items():
            np.testing.assert_allclose(value, expected[name][0], rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize(
        ("body", "status", "message"),
        [
            (b"{", 400, "expected JSON; received 1 bytes that are none: Expecting property"),
            (b"[" * 100_000, 400, "expected JSON; received 100000 bytes that are none"),
            ([1], 400, "expected an object with instances or with inputs; received list"),
            ({}, 400, "received an empty one"),
            ({"instances": [], "inputs": {}}, 400, "received 'instances', 'inputs'"),
            ({"instances": [], "colour": 1}, 400, "beside the values; received 'colour'"),
            ({"instances": []}, 400, "as a list of rows; received no row"),
            ({"instances": [1]}, 400, "expected inputs by name (context_design, context_mask)"),
            ({"instances": [{"x": 1}]}, 400, "received unknown 'x'"),
            ({"instances": [{"x": 1}, {}]}, 400, "in row 1 and 'x' in row 0"),
            ({"inputs": {"context_mask": [[1]]}}, 400, "true or false in context_mask; received a"),
            ({"inputs": {"context_design": [[True]]}}, 400, "received true or false"),
            ({"inputs": {"context_design": [[1], []]}}, 400, "one length in context_design"),
            ({"inputs": {"context_mask": MASK}}, 400, "received a request without context_design"),
            ({"inputs": {}, "signature_name": "x"}, 400, "serving_default, total; received 'x'"),
            ({"inputs": {}, "signature_name": 3}, 400, "expected a signature_name; received int"),
        ],
    )
    def test_refusals(self, toy_server, body, status, message):
        code, found = predict(toy_server, body)
        assert code == status and list(found) == ["error"]
        assert message in found["error"] and "Traceback" not in found["error"]

    def test_what_the_graph_refuses(self, tiny_server, tiny_model):
        inputs = example_request(tiny_model.spec, "propose")
        inputs["candidate_design"][:] = np.nan
        row = {name: array[0].tolist() for name, array in inputs.items()}
        code, found = predict(
            tiny_server, {"signature_name": "propose", "instances": [row]}, "tiny"
        )
        assert code == 400 and found["error"].startswith("expected finite numbers in candidate")


class TestOtherPaths:
    def test_status(self, toy_server):
        status, found = ask(toy_server, "GET", "/v1/models/toy")
        fine = {"error_code": "OK", "error_message": ""}
        assert status == 200
        assert found["model_version_status"] == [
            {"version": version, "state": "AVAILABLE", "status": fine} for version in ("12", "1")
        ]
        _, found = ask(toy_server, "GET", "/v1/models/toy/versions/1")
        assert [version["version"] for version in found["model_version_status"]] == ["1"]

    def test_metadata(self, toy_server):
        status, found = ask(toy_server, "GET", "/v1/models/toy/versions/1/metadata")
        assert status == 200
        assert found["model_spec"] == {"name": "toy", "signature_name": "", "version": "1"}
        signatures = found["metadata"]["signature_def"]["signature_def"]
        design = signatures["total"]["inputs"]["context_design"]
        assert design["dtype"] == "DT_FLOAT"
        assert [dim["size"] for dim in design["tensor_shape"]["dim"]] == ["-1", "-1", "2"]

    @pytest.mark.parametrize(
        ("method", "path", "status", "message"),
        [
            ("GET", "/v1/models/x", 404, "expected a model of toy; received 'x'"),
            ("GET", "/v1/models/toy/versions/5", 404, "(1, 12); received 5"),
            ("GET", "/v1/models/toy/labels/stable", 404, "(none); received 'stable'"),
            ("GET", "/v1/model/toy", 404, "expected a path /v1/models/NAME"),
            ("GET", "/v1/models/toy/versions/x", 404, "expected a path /v1/models/NAME"),
            ("GET", "/v1/models/toy:predict", 405, "expected POST for :predict"),
            ("POST", "/v1/models/toy", 405, "expected POST to NAME:predict"),
            ("POST", "/v1/models/toy:classify", 501, "expected :predict; received :classify"),
            ("DELETE", "/v1/models/toy", 501, "expected HTTP with GET or POST"),
        ],
    )
    def test_what_is_not_there(self, toy_server, method, path, status, message):
        code, found = ask(toy_server, method, path)
        assert code == status and message in found["error"]

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Content-Length": str(LARGEST_BODY + 1)}, 413),
            ({"Content-Length": "some"}, 400),
            ({"Transfer-Encoding": "chunked"}, 411),
            ({"Content-Encoding": "gzip", "Content-Length": "0"}, 415),
        ],
    )
    def test_a_body_that_is_not_read(self, toy_server, headers, status):
        code, found = ask(toy_server, "POST", "/v1/models/toy:predict", None, headers)
        assert code == status and found["error"].startswith("expected ")

    def test_what_is_no_http(self, toy_server):
        with socket.create_connection((toy_server.host, toy_server.rest_port), 30) as connection:
            connection.sendall(b"\x00\x01\x02\r\n\r\n")
            answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 400") or b'"error": "expected HTTP' in answer

    def test_one_connection_serves_many_requests_and_ids_return(self, toy_server):
        connection = http.client.HTTPConnection(toy_server.host, toy_server.rest_port, timeout=30)
        for number in range(3):
            connection.request("GET", "/v1/models/toy", headers={"x-request-id": f"id-{number}"})
            response = connection.getresponse()
            response.read()
            assert response.headers["x-request-id"] == f"id-{number}"
        connection.close()


def test_a_taken_port_is_bad_input(toy_server):
    with pytest.raises(InputError, match="expected an address that is free to listen on"):
        RestServer(None, toy_server.host, toy_server.rest_port)
