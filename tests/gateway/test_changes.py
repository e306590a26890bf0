"""What moved the risk since a moment."""

from datetime import timedelta

import pytest

from aline_tf.migraine.records.fhir_export import observations
from tests.gateway.conftest import NOW
from tests.gateway.test_readings import bundle, stress


def answered(value, day):
    """An answer of an evening of the recorded life, which ends on 11 May."""
    return stress(value) | {"time": f"2025-05-{day:02d}T20:30:00+02:00"}


def chances(risks):
    return [risk["probability"] for risk in risks]


class TestChanges:
    def test_what_was_sent_since_and_what_it_moved(self, clocked, life):
        clocked.clock[0] = NOW
        with clocked.person() as person:
            person.post("/v1/readings", json=bundle(list(observations(life))))
            old = person.get("/v1/risk").json()
            since = NOW + timedelta(hours=1)
            clocked.clock[0] = NOW + timedelta(hours=2)
            alcohol = {"channel": "alcohol", "value": 3, "time": "2025-05-09T12:00:00+02:00"}
            evening = answered(10, 10) | {"id": "evening"}
            body = {"readings": [evening, answered(9, 9), alcohol]}
            person.post("/v1/readings", json=body)
            new = person.get("/v1/risk").json()
            found = person.get("/v1/changes", params={"since": since.isoformat()}).json()
            assert found["evening"] == old["evening"] == new["evening"]
            for name, risks in (("before", old), ("after", new)):
                expected = [risk["probability"] for risk in risks["risks"]]
                told = [risk["probability"] for risk in found[name]]
                assert told == pytest.approx(expected, abs=1e-6)
            read = {"stress": 2, "alcohol": 1}
            assert found["sent"] == [{"format": "readings", "payloads": 1, "read": read}]
            moved = {move["channel"]: move for move in found["moved"]}
            assert set(moved) == {"stress", "alcohol"}
            assert moved["stress"]["days"] == 2 and moved["stress"]["newest"] == "2025-05-10"
            sizes = [abs(move["move_24h"]) for move in found["moved"]]
            assert sizes == sorted(sizes, reverse=True) and sizes[0] > 0
            # One channel alone explains all of it.
            clocked.clock[0] = NOW + timedelta(hours=4)
            person.post("/v1/readings", json={"readings": [evening | {"value": 0}]})
            since = (NOW + timedelta(hours=3)).isoformat()
            (move,) = person.get("/v1/changes", params={"since": since}).json()["moved"]
            after = person.get("/v1/risk").json()["risks"][0]["probability"]
            before = new["risks"][0]["probability"]
            assert move["move_24h"] == pytest.approx(after - before, abs=1e-6)

    def test_nothing_since_and_everything_since(self, clocked, life):
        clocked.clock[0] = NOW
        with clocked.person() as person:
            assert person.get("/v1/changes", params={"since": "2025-01-01"}).status_code == 404
            person.post("/v1/readings", json=bundle(list(observations(life))))
            nothing = person.get("/v1/changes", params={"since": NOW.isoformat()}).json()
            assert nothing["moved"] == nothing["sent"] == []
            # Rows of one pass and of two are rounded apart.
            assert chances(nothing["before"]) == pytest.approx(chances(nothing["after"]), abs=1e-6)
            everything = person.get("/v1/changes", params={"since": "2025-01-01"}).json()
            assert everything["since"] == "2025-01-01T00:00:00+01:00"
            assert chances(everything["after"]) == pytest.approx(
                chances(nothing["after"]), abs=1e-6
            )
            assert chances(everything["after"]) != pytest.approx(
                chances(everything["before"]), abs=1e-3
            )
            assert {"stress", "sleep_hours"} <= {move["channel"] for move in everything["moved"]}

    @pytest.mark.parametrize("since", ["", "soon", "9999-12-31", "2025-13-01", "0001-01-01"])
    def test_moments_that_cannot_be_meant(self, clocked, since):
        with clocked.person() as person:
            person.post("/v1/readings", json={"readings": [stress(7)]})
            answer = person.get("/v1/changes", params={"since": since})
            assert answer.status_code in (200, 422)
            if answer.status_code == 422:
                assert "expected a moment" in answer.json()["detail"]
