"""What an operator sees and sets: limits of rate, other origins, metrics, logs, the audit log."""

import json
import logging
import time

import pytest

from aline_tf.errors import InputError
from aline_tf.gateway.app import create_app
from aline_tf.gateway.operation.rate_limit import RateLimit
from aline_tf.gateway.settings import Settings
from tests.gateway.conftest import NOW, Running, settings_in
from tests.gateway.test_readings import stress

ORIGIN = "https://app.example.org"


@pytest.fixture(scope="module")
def narrow(tmp_path_factory, inference):
    """A gateway of five requests at once and one a minute, for one other site."""
    settings = settings_in(
        tmp_path_factory.mktemp("narrow"), burst=5, per_minute=1, origins=(ORIGIN,)
    )
    running = Running(create_app(settings, inference=inference, clock=lambda: NOW))
    yield running
    running.stop()


class TestRateLimits:
    def test_somebody_who_asks_too_often_waits_and_others_do_not(self, narrow):
        with narrow.person() as busy, narrow.person() as other:
            answers = [busy.get("/v1/risk") for _ in range(7)]
            assert [answer.status_code for answer in answers] == [404] * 5 + [429] * 2
            assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
            assert busy.post("/v1/readings", json={"readings": []}).status_code == 429
            assert other.get("/v1/risk").status_code == 404
            assert other.get("/health").status_code == 200

    def test_guessing_tokens_is_limited_by_address(self, narrow):
        with narrow.client() as client:
            guesses = [
                client.get("/v1/risk", headers={"Authorization": f"Bearer aline_{guess}"})
                for guess in range(7)
            ]
            assert [answer.status_code for answer in guesses] == [401] * 5 + [429] * 2
            assert client.post("/sign-in", data={"token": "aline_8"}).status_code == 429

    def test_a_bucket_fills_evenly_and_never_over(self):
        now = [0.0]
        limit = RateLimit(per_minute=30, burst=3, clock=lambda: now[0])
        for moment, expected in ((0, 0), (0, 0), (0, 0), (0, 2), (1, 1), (2, 0), (2, 2), (99, 0)):
            now[0] = float(moment)
            assert limit.wait("a") == pytest.approx(expected)
        assert [limit.wait("a") for _ in range(3)] == pytest.approx([0, 0, 2])

    def test_the_memory_of_askers_is_bounded(self, monkeypatch):
        monkeypatch.setattr("aline_tf.gateway.operation.rate_limit.MOST_ASKERS", 3)
        limit = RateLimit(per_minute=60, burst=1, clock=lambda: 0.0)
        for asker in "abcd":
            limit.wait(asker)
        assert limit.wait("d") > 0 and limit.wait("a") == 0 and len(limit._buckets) == 3


class TestOrigins:
    def test_other_sites_are_refused_unless_named(self, narrow, gateway):
        asked = {"Access-Control-Request-Method": "POST", "Origin": ORIGIN}
        asked["Access-Control-Request-Headers"] = "authorization, idempotency-key"
        with narrow.client() as client:
            answer = client.options("/v1/readings", headers=asked)
            assert answer.headers["access-control-allow-origin"] == ORIGIN
            assert "access-control-allow-credentials" not in answer.headers
            other = client.options("/v1/readings", headers=asked | {"Origin": f"{ORIGIN}.evil"})
            assert "access-control-allow-origin" not in other.headers
        with gateway.client() as client:
            answer = client.get("/health", headers={"Origin": ORIGIN})
            assert "access-control-allow-origin" not in answer.headers

    @pytest.mark.parametrize("origin", ["*", "app.example.org", f"{ORIGIN}/path", "file://x"])
    def test_origins_that_cannot_be_meant(self, origin):
        with pytest.raises(InputError, match="an origin like"):
            Settings(origins=(origin,))

    @pytest.mark.parametrize("name", ["largest_body", "model_timeout", "per_minute", "burst"])
    def test_limits_that_cannot_be_meant(self, name):
        with pytest.raises(InputError, match=f"expected {name} above 0"):
            Settings(**{name: 0})


def requests_logged(caplog):
    """Lines of requests in the log; what else a gateway notes has no route."""
    texts = [record.getMessage() for record in caplog.records if record.name == "aline_tf.gateway"]
    return [line for line in map(json.loads, texts) if "route" in line]


class TestWhatIsSeen:
    def test_logs_have_ids_and_no_values(self, gateway, person, caplog):
        secret = "7.123456"
        reading = stress(7, channel="sleep_hours", unit="h", id="private-id")
        reading["value"] = float(secret)
        with caplog.at_level(logging.INFO, "aline_tf.gateway"):
            headers = {"X-Request-ID": "mine-1", "Idempotency-Key": "secret-key"}
            answer = person.post("/v1/readings", json={"readings": [reading]}, headers=headers)
            assert answer.headers["x-request-id"] == "mine-1"
            person.get("/v1/receipts/secret-key")
            bad = person.get("/v1/risk", params={"evening": "secret-evening"})
            assert bad.status_code == 422
            person.get("/secret/path", headers={"X-Request-ID": "bad id"})
            # A request is logged after its answer has gone.
            until = time.monotonic() + 30
            while len(lines := requests_logged(caplog)) < 4 and time.monotonic() < until:
                time.sleep(0.01)
        first, receipt, _, unknown = lines
        assert first["id"] == "mine-1" and first["person"] == person.person
        assert (first["method"], first["route"], first["status"]) == ("POST", "/v1/readings", 202)
        assert first["received"] > 0 and first["sent"] > 0 and first["ms"] >= 0
        assert receipt["route"] == "/v1/receipts/{client_id}" and len(receipt["id"]) == 16
        assert (unknown["route"], unknown["status"]) == ("(none)", 404)
        everything = "\n".join(record.getMessage() for record in caplog.records)
        for word in (secret, "private-id", "secret", person.token, "sleep_hours"):
            assert word not in everything

    def test_metrics_count_what_was_kept_once_and_name_nobody(self, gateway, person):
        def records():
            text = person.get("/metrics").text
            found = {"aline_gateway_records_total": {}}
            for line in text.splitlines():
                if line.startswith("aline_gateway_records_total{"):
                    labels, _, value = line.rpartition(" ")
                    found[labels] = float(value)
            return text, found.get(
                'aline_gateway_records_total{format="readings",outcome="read"}', 0.0
            )

        _, before = records()
        for _ in range(2):
            person.post("/v1/readings", json={"readings": [stress(7), stress(8, day=11)]})
        text, after = records()
        assert after - before == 2
        assert 'route="/v1/readings",status="202"' in text
        assert person.person not in text and person.token not in text

    def test_the_audit_log_says_who_did_what_and_outlives_the_person(self, gateway):
        with gateway.person() as person:
            person.get("/v1/me/export")
            shown = person.get("/v1/me/audit").json()
            actions = ["records exported", "token issued", "person added"]
            assert [line["action"] for line in shown] == actions
            assert [line["actor"] for line in shown] == ["a test", "operator", "operator"]
            person.delete("/v1/me")
        from aline_tf.gateway.storage import audit

        with gateway.service.database.reading() as connection:
            last = audit.lines(connection, person.person)[0]
        assert last == {"at": int(NOW.timestamp()), "actor": "a test", "action": "person erased"}
