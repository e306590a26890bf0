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


#: A body that every door takes that takes one, but for what it says.
BODIES = {
    "AnswerDocument": {"evening": "x", "channel": "stress", "days_ago": 0, "slot": -1, "value": 3},
    "DevicePriority": {"priority": ["A Watch"]},
    "Scopes": {"scopes": ["readings"]},
    "SupposedDocument": {"suppose": ["stress=8"]},
    "WantedCall": {"url": "https://app.example.org"},
    "WishesDocument": {"day": 1, "week": 3, "quiet_from": "21:00"},
}
OTHERS = {
    "integer": (True, "1", 1.5, None, {}),
    "string": (1, True, None, []),
    "array": ("stress=8", {"0": "readings"}, None, [1], [None], [True]),
}


def test_nothing_of_another_type_is_taken_for_what_it_looks_like(person, description):
    schemas, seen = description["components"]["schemas"], set()
    for method, path, operation in operations(description):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if not name:
            continue
        seen.add(name)
        url = re.sub(r"\{.+\}", "0" * 32, path)
        for field, schema in schemas[name]["properties"].items():
            for other in OTHERS.get(schema.get("type"), ()):
                answer = person.request(method, url, json=BODIES[name] | {field: other})
                assert answer.status_code == 422, (name, field, other)
                assert answer.json()["detail"].startswith(f"expected another body.{field}")
        answer = person.request(method, url, json=BODIES[name] | {"extra": 1})
        assert "body.extra" in answer.json()["detail"]
        answer = person.request(
            method, url, content=b"\xff", headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422 and "JSON in UTF-8" in answer.json()["detail"]
    assert seen == set(BODIES)


def test_whole_numbers_may_be_written_as_floats(person):
    wishes = {"day": 1.0, "week": 3.0, "quiet_from": "21:00"}
    answer = person.put("/v1/me/prompting", json=wishes)
    assert answer.status_code == 200 and answer.json() == wishes
    assert isinstance(answer.json()["day"], int)
