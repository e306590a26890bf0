"""What a person is told: risks, triggers, a question, its answer, what-ifs; nothing of others."""

import io
import json
import re
import zipfile

import numpy as np
import pytest

from aline_tf.migraine.records.fhir_export import observations
from aline_tf.migraine.records.importers.records import read_records
from tests.gateway.test_readings import bundle, stress


@pytest.fixture
def recorded(gateway, life):
    """A person with records."""
    with gateway.person() as client:
        client.post("/v1/readings", json=bundle(list(observations(life))))
        yield client


def ask(person):
    answer = person.get("/v1/question")
    assert answer.status_code == 200, answer.text
    return answer.json()


def reply(person, asked, value, **others):
    question = {name: asked["question"][name] for name in ("channel", "days_ago", "slot")}
    body = question | {"evening": asked["evening"], "value": value} | others
    return person.post("/v1/answers", json=body)


class TestForecasts:
    def test_risks_lie_in_their_intervals_and_in_order(self, recorded):
        answer = recorded.get("/v1/risk").json()
        day, two_days = answer["risks"]
        assert (day["hours"], two_days["hours"]) == (24, 48)
        assert 0 < day["probability"] <= two_days["probability"] < 1
        assert all(risk["low"] <= risk["probability"] <= risk["high"] for risk in answer["risks"])
        assert "medical" in answer["not_a_device"]

    def test_an_evening_in_the_past(self, recorded):
        last, early = (
            recorded.get("/v1/risk", params=p).json() for p in ({}, {"evening": "2025-04-20"})
        )
        assert early["evening"].startswith("2025-04-20T20:00") and early["risks"] != last["risks"]
        wrong = recorded.get("/v1/risk", params={"evening": "2031-04-20"})
        assert wrong.status_code == 422 and "within the records" in wrong.json()["detail"]

    def test_triggers_are_those_of_the_package(self, recorded, gateway, compiled_model):
        from aline_tf.migraine.forecast.triggers import trigger_posteriors

        found = recorded.get("/v1/triggers").json()["triggers"]
        person = gateway.service.person_of(recorded.token)
        standing = gateway.service.forecasts._standing(person)
        for here, there in zip(
            found, trigger_posteriors(compiled_model, standing.batch), strict=True
        ):
            assert here["name"] == there.name and here["days_recorded"] == there.days_recorded
            assert here["odds_ratio"] == pytest.approx(there.odds_ratio)

    def test_what_if(self, recorded):
        body = {"suppose": ["stress=9", "stress=2", "alcohol@1=5"]}
        found = recorded.post("/v1/what-if", json=body).json()["what_ifs"]
        # A stress of 9 is what was recorded.
        assert [each["channel"] for each in found] == ["stress", "alcohol"]
        assert all(0 < each["risk_24h"] <= each["risk_48h"] < 1 for each in found)
        wrong = recorded.post("/v1/what-if", json={"suppose": ["stress=99"]})
        assert wrong.status_code == 422 and "from 0 to 10 for stress" in wrong.json()["detail"]

    def test_nothing_recorded_is_said(self, person):
        for path in ("/v1/risk", "/v1/triggers", "/v1/question"):
            answer = person.get(path)
            assert answer.status_code == 404 and "none yet" in answer.json()["detail"]


class TestAnswers:
    def test_an_answer_moves_the_risk_and_is_a_record(self, recorded):
        asked = ask(recorded)
        assert asked["question"]["gain"] >= 0 and asked["question"]["expected"]
        value = "yes" if asked["question"]["expected"] == "yes or no" else "3"
        moved = reply(recorded, asked, value, id="first").json()
        assert moved["receipt"]["read"] == 1 and moved["before"] != moved["after"]
        assert moved["after"] == recorded.get("/v1/risk").json()["risks"]
        again = reply(recorded, asked, value, id="first").json()
        assert again["receipt"]["repeated"] and again["after"] == moved["after"]
        assert reply(recorded, asked, None, id="first").status_code == 409
        other = reply(recorded, asked, value, id="second")
        assert other.status_code == 422 and "open this evening" in other.json()["detail"]
        assert ask(recorded)["question"] != asked["question"]

    def test_asked_and_not_answered_counts_in_the_budget(self, recorded):
        channels = []
        while (spent := ask(recorded))["question"] is not None:
            channels.append(spent["question"]["channel"])
            assert reply(recorded, spent, None).status_code == 202
        # What is looked up costs no prompt.
        assert sum(channel not in ("pressure_change", "busy_hours") for channel in channels) == 2
        assert spent["question"] is None and "2 prompts a day" in spent["why"]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"evening": "2025-04-01T20:00:00+02:00"}, "about the evening of"),
            ({"channel": "mood"}, "a question that there is"),
            ({"days_ago": 7}, "a question that there is"),
            ({"value": "many"}, "expected .*; received 'many'"),
            ({"more": 1}, "more"),
        ],
    )
    def test_answers_that_cannot_be_meant(self, recorded, change, message):
        asked = ask(recorded)
        question = {name: asked["question"][name] for name in ("channel", "days_ago", "slot")}
        body = question | {"evening": asked["evening"], "value": "3"} | change
        answer = recorded.post("/v1/answers", json=body)
        assert answer.status_code == 422
        assert re.search(message, answer.json()["detail"])


class TestPerson:
    def test_the_export_holds_all_and_can_be_imported(self, recorded, life, tmp_path):
        recorded.post("/v1/readings", json={"readings": [stress(7, own_id="a")]})
        packed = recorded.get("/v1/me/export")
        with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
            sent = [name for name in archive.namelist() if name.startswith("sent/")]
            assert len(sent) == 2
            assert json.loads(archive.read(sent[1]))["readings"] == [stress(7, own_id="a")]
            assert len(json.loads(archive.read("receipts.json"))) == 2
            archive.extract("timeline.jsonl", tmp_path)
        assert len(read_records([tmp_path / "timeline.jsonl"]).timeline) == len(life) + 1

    def test_erased_is_erased(self, gateway, recorded):
        recorded.get("/v1/risk")
        assert recorded.delete("/v1/me").status_code == 204
        assert recorded.get("/v1/risk").status_code == 401
        with gateway.service.database.reading() as connection:
            for table in ("people", "tokens", "payloads", "forecasts"):
                query = f"SELECT count(*) FROM {table} WHERE person = '{recorded.person}'"
                assert connection.exec_driver_sql(query).scalar() == 0

    @pytest.mark.parametrize("token", [None, "aline_wrong", "é"])
    def test_without_a_token_nothing_is_told(self, gateway, token):
        header = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
        with gateway.client() as client:
            for path in (
                "/v1/risk",
                "/v1/triggers",
                "/v1/question",
                "/v1/me/export",
                "/v1/receipts/a",
            ):
                answer = client.get(path, headers=header)
                assert answer.status_code == 401 and "aline_wrong" not in answer.text
            assert client.delete("/v1/me", headers=header).status_code == 401
            assert client.post("/v1/readings", json={}, headers=header).status_code == 401


def test_no_token_reads_what_another_sent(gateway):
    """Random people, payloads under the same client ids, in random order: each sees their own."""
    draws = np.random.default_rng(0)
    people = [gateway.person() for _ in range(4)]
    sent = [{} for _ in people]
    for step in range(60):
        who, key = int(draws.integers(4)), f"key-{draws.integers(8)}"
        body = {"readings": [stress(int(draws.integers(11)), 1 + who, own_id=f"{who}-{step}")]}
        answer = people[who].post("/v1/readings", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == (409 if key in sent[who] else 202)
        sent[who].setdefault(key, body)
    for who, person in enumerate(people):
        for key in {key for keys in sent for key in keys}:
            answer = person.get(f"/v1/receipts/{key}")
            assert answer.status_code == (200 if key in sent[who] else 404)
        with zipfile.ZipFile(io.BytesIO(person.get("/v1/me/export").content)) as archive:
            names = [name for name in archive.namelist() if name.startswith("sent/")]
            found = [json.loads(archive.read(name)) for name in names]
        assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, sent[who].values()))
        assert person.get("/v1/risk").json()["evening"].startswith(f"2025-03-{1 + who:02d}")
    victim, others = people[0], people[1:]
    assert victim.delete("/v1/me").status_code == 204
    assert all(other.get("/v1/risk").status_code == 200 for other in others)
    assert victim.get("/v1/me/export").status_code == 401
    for person in people:
        person.close()
