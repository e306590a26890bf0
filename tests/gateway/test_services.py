"""Services act for people who let them, as far as they let them; for nobody else, never more."""

import httpx
import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.gateway.storage import services
from aline_tf.gateway.storage.people import Person
from tests.gateway.test_readings import stress
from tests.gateway.test_storage import database, postgres_database
from tests.gateway.test_storage import person as somebody

__all__ = ["database", "postgres_database", "somebody"]

#: What a service may be let do, and a door of each; doors of the person alone.
DOORS = {
    "readings": ("GET", "/v1/receipts/first"),
    "forecasts": ("GET", "/v1/question"),
    "answers": ("POST", "/v1/answers"),
    None: ("GET", "/v1/me/export"),
}
PRIVATE = (
    ("GET", "/v1/me/audit"),
    ("GET", "/v1/me/services"),
    ("PUT", "/v1/me/devices"),
    ("PUT", "/v1/me/prompting"),
    ("GET", "/v1/webhooks"),
    ("DELETE", "/v1/me"),
)


def new_service(gateway, name="a clinic"):
    with gateway.service.database.writing() as connection:
        service = services.add_service(connection, name, gateway.service.now())
        return service, services.issue_service_token(connection, service, gateway.service.now())


def ask(client, token, door, named=None):
    method, path = door
    headers = {"Authorization": f"Bearer {token}"} | ({"X-Aline-Person": named} if named else {})
    body = {"json": {"readings": []}} if method != "GET" else {}
    return client.request(method, path, headers=headers, **body)


def test_a_service_does_what_it_was_let_do(gateway, person):
    service, token = new_service(gateway)
    allowed = person.put(f"/v1/me/services/{service}", json={"scopes": ["readings"]})
    assert allowed.json() == {"service": service, "name": "a clinic", "scopes": ["readings"]}
    headers = {"Authorization": f"Bearer {token}", "X-Aline-Person": person.person}
    with httpx.Client(base_url=gateway.url, headers=headers, timeout=60) as client:
        body = {"readings": [stress(7)]}
        sent = client.post("/v1/readings", json=body, headers={"Idempotency-Key": "first"})
        assert sent.status_code == 202 and person.get("/v1/receipts/first").status_code == 200
        refused = client.get("/v1/risk")
        assert refused.status_code == 403 and "lets do forecasts" in refused.json()["detail"]
        person.put(f"/v1/me/services/{service}", json={"scopes": ["forecasts", "answers"]})
        assert client.get("/v1/risk").status_code == 200
        assert client.post("/v1/readings", json=body).status_code == 403
        for method, path in PRIVATE:
            answer = client.request(method, path, json={})
            assert answer.status_code == 403, path
            assert "the person themselves" in answer.json()["detail"]
        assert person.delete(f"/v1/me/services/{service}").status_code == 204
        assert person.delete(f"/v1/me/services/{service}").status_code == 404
        assert client.get("/v1/risk").status_code == 403
    actions = [line["action"] for line in person.get("/v1/me/audit").json()]
    assert actions[:3] == ["service no longer allowed", *2 * ["service allowed"]]
    assert person.get("/v1/me/services").json() == []


@pytest.mark.parametrize(
    ("scopes", "message"), [([], "received none"), (["everything"], "received everything")]
)
def test_what_cannot_be_allowed(gateway, person, scopes, message):
    service, _ = new_service(gateway)
    refused = person.put(f"/v1/me/services/{service}", json={"scopes": scopes})
    assert refused.status_code == 422 and message in refused.json()["detail"]
    nobody = person.put(f"/v1/me/services/{'0' * 32}", json={"scopes": ["readings"]})
    assert nobody.status_code == 422 and "the id of a service" in nobody.json()["detail"]
    assert person.put("/v1/me/services/x", json={"scopes": ["readings"]}).status_code == 422


@pytest.mark.parametrize("seed", range(3))
def test_nobody_reaches_more_than_they_were_let(gateway, seed):
    """Random people, services and grants: every token at every door for every person."""
    draws = np.random.default_rng(seed)
    people = [gateway.person() for _ in range(3)]
    programs = [new_service(gateway, f"service {number}") for number in range(3)]
    granted = {}
    for number, person in enumerate(people):
        body = {"readings": [stress(number, day=1 + number)]}
        person.post("/v1/readings", json=body, headers={"Idempotency-Key": "first"})
        for service, _ in programs:
            scopes = [scope for scope in services.SCOPES if draws.random() < 0.4]
            if scopes:
                person.put(f"/v1/me/services/{service}", json={"scopes": scopes})
                granted[service, person.person] = set(scopes)
            if scopes and draws.random() < 0.2:
                person.delete(f"/v1/me/services/{service}")
                del granted[service, person.person]
    with httpx.Client(base_url=gateway.url, timeout=60) as client:
        for service, token in programs:
            assert ask(client, token, DOORS["forecasts"]).status_code == 403
            assert ask(client, token, DOORS["forecasts"], "f" * 32).status_code == 403
            for number, person in enumerate(people):
                may = granted.get((service, person.person), set())
                for scope, door in DOORS.items():
                    answer = ask(client, token, door, person.person)
                    assert (answer.status_code != 403) == (scope in may), (scope, may)
                    if scope == "forecasts" and scope in may:
                        assert answer.json()["evening"].startswith(f"2025-03-{1 + number:02d}")
        for person in people:
            # A person's own token is for that person, whoever is named.
            other = ask(client, person.token, DOORS["forecasts"], people[0].person)
            own = ask(client, person.token, DOORS["forecasts"])
            assert other.json()["evening"] == own.json()["evening"]
    for person in people:
        person.close()


class TestTokens:
    def test_they_count_until_they_are_revoked_and_stand_nowhere(self, database):
        with database.writing() as connection:
            service = services.add_service(connection, "a clinic", 1)
            tokens = [services.issue_service_token(connection, service, 1) for _ in range(2)]
            assert {services.service_of(connection, token) for token in tokens} == {service}
            rows = str(connection.exec_driver_sql("SELECT * FROM service_tokens").all())
            assert not any(token.removeprefix("aline_service_") in rows for token in tokens)
            assert services.revoke_service_tokens(connection, service, 2) == 2
            assert services.revoke_service_tokens(connection, service, 3) == 0
            assert services.service_of(connection, tokens[0]) is None
            with pytest.raises(InputError, match="a name of 1 to"):
                services.add_service(connection, " ", 1)
            with pytest.raises(InputError, match="the id of a service"):
                services.issue_service_token(connection, "x", 1)

    def test_grants_go_with_the_person(self, database, somebody):
        person = Person(somebody, None, "phone")
        with database.writing() as connection:
            service = services.add_service(connection, "a clinic", 1)
            for scopes in (["answers"], ["forecasts", "readings"]):
                services.grant(connection, person, service, scopes, 1)
            (grant,) = services.grants_of(connection, somebody)
            assert grant.scopes == ("readings", "forecasts")
            found = services.person_for(connection, service, somebody)
            assert found.label == "a clinic" and found.scopes == {"readings", "forecasts"}
            from aline_tf.gateway.storage.people import erase

            assert erase(connection, person, 2)
            assert services.person_for(connection, service, somebody) is None
            assert services.grants_of(connection, somebody) == []


def test_a_service_that_guesses_people_waits(gateway, monkeypatch):
    for name, value in (("_burst", 5), ("_rate", 1e-6)):
        monkeypatch.setattr(gateway.service.rate_limit, name, value)
    _, token = new_service(gateway)
    with httpx.Client(base_url=gateway.url, timeout=60) as client:
        codes = [
            ask(client, token, DOORS["forecasts"], f"{guess:032x}").status_code
            for guess in range(7)
        ]
    assert codes == [403] * 5 + [429] * 2
