"""The description of the interface tells every refusal, and every door refuses as it says."""

import re

import pytest


@pytest.fixture(scope="module")
def description(gateway):
    with gateway.client() as client:
        return client.get("/openapi.json").json()


def operations(description):
    for path, methods in description["paths"].items():
        if path.startswith("/v1/"):
            for method, operation in methods.items():
                yield method, path, operation


def test_every_door_describes_what_it_refuses(description):
    found = list(operations(description))
    assert len(found) >= 23
    for method, path, operation in found:
        described = operation["responses"]
        assert {"401", "403", "422", "429", "503"} <= set(described), (method, path)
        for code, response in described.items():
            if code.startswith("4"):
                schema = response["content"]["application/json"]["schema"]
                assert schema["$ref"].endswith("/Refusal"), (method, path, code)


def test_another_method_is_told_all_that_there_are(person):
    refused = person.request("OPTIONS", "/v1/me/devices")
    assert refused.status_code == 405 and refused.headers["Allow"] == "GET, PUT"
    assert refused.json()["detail"] == "expected GET, PUT; received OPTIONS"


def test_every_door_refuses_as_it_says(gateway, person, description):
    strange = {"X-Aline-Person": "x" * 65}
    with gateway.client() as nobody:
        for method, path, operation in operations(description):
            url = re.sub(r"\{.+\}", "0" * 32, path)
            for client, headers, expected in ((nobody, {}, (401, 422)), (person, strange, (422,))):
                answer = client.request(method, url, headers=headers)
                code = answer.status_code
                assert code in expected and str(code) in operation["responses"], (method, path)
                assert isinstance(answer.json()["detail"], str)
