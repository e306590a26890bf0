"""A gateway in front of a model server: the same numbers, and what it does while that is away."""

import json
import time
from datetime import timedelta

import numpy as np
import pytest

from aline_tf.gateway.app import create_app
from aline_tf.gateway.forecasts.inference import LocalInference, ServedInference
from aline_tf.migraine.forecast.what_if import Supposition
from aline_tf.migraine.records.fhir_export import observations
from aline_tf.serving.calls.retry import Retry
from aline_tf.serving.client import Client
from tests.gateway.conftest import NOW, Running, settings_in
from tests.gateway.test_readings import bundle, stress


@pytest.fixture(scope="module")
def models(model, tmp_path_factory):
    from aline_tf.serving.export import export_model

    base = tmp_path_factory.mktemp("served")
    export_model(model, base / "migraine" / "1")
    return base


def serve(models, port=0):
    from aline_tf.serving import ModelRepository, Server

    server = Server(ModelRepository(models), port=port, warm_up=False, poll_seconds=0)
    server.start()
    return server


@pytest.fixture(scope="module")
def server(models):
    server = serve(models)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def standing(tmp_path_factory, life, inference):
    """A person's standing, from a service without a port."""

    from aline_tf.gateway.service import Gateway
    from aline_tf.gateway.storage.people import Person, add_person

    service = Gateway(settings_in(tmp_path_factory.mktemp("standing")), inference, lambda: NOW)
    with service.database.writing() as connection:
        person = Person(add_person(connection, 0, "Europe/Berlin"), "Europe/Berlin", "test")
    service.receive(person, json.dumps(bundle(list(observations(life)))).encode(), None)
    return service.forecasts._standing(person)


@pytest.fixture(scope="module")
def both(compiled_model, server):
    with Client(server.target, "migraine", timeout=60) as client:
        yield LocalInference(compiled_model, 1e-9), ServedInference(client)


class TestTheSameNumbers:
    def test_risks(self, both, standing):
        here, there = (inference.risks(standing.batch) for inference in both)
        for one, other in zip(here, there, strict=True):
            assert other["probability"] == pytest.approx(one["probability"], abs=1e-5)
            assert other["hours"] == one["hours"] and other["low"] is other["high"] is None

    def test_triggers(self, both, standing):
        here, there = (inference.triggers(standing.batch) for inference in both)
        assert [each["name"] for each in here] == [each["name"] for each in there]
        for one, other in zip(here, there, strict=True):
            for name in ("probability", "usual", "days_recorded"):
                assert other[name] == pytest.approx(one[name], abs=1e-5)
            # Of the slab alone, which is got out of a mean and a spread in single precision.
            for name in ("odds_ratio", "strength"):
                assert other[name] == pytest.approx(one[name], rel=1e-3)
            assert other["low"] is None

    def test_what_ifs(self, both, standing):
        supposed = [Supposition("stress", 0, 2.0), Supposition("alcohol", 1, 5.0)]
        here, there = (inference.what_ifs(standing.history, supposed) for inference in both)
        for one, other in zip(here, there, strict=True):
            assert other == pytest.approx(one, abs=1e-5) or other["channel"] == one["channel"]
            for name in ("risk_24h", "risk_48h"):
                assert other[name] == pytest.approx(one[name], abs=1e-5)

    def test_the_question_is_the_first_of_the_policy(self, both, standing, compiled_model):
        from aline_tf.migraine.forecast.value_of_information import policy_ranks

        _, served = both
        ranks, _ = policy_ranks(compiled_model, standing.batch)
        found = served.next_question(standing.batch, standing.candidates)
        assert ranks[standing.candidates.index(found.candidate)] == 1
        assert found.gain is None and found.worth is None
        assert served.next_question(standing.batch, []) is None


def test_while_the_server_is_away_readings_are_kept_and_the_last_forecast_is_told(
    models, tmp_path, life
):
    server = serve(models)
    clock = [NOW]
    client = Client(server.target, "migraine", timeout=20, retry=Retry(1))
    app = create_app(
        settings_in(tmp_path), inference=ServedInference(client), clock=lambda: clock[0]
    )
    running = Running(app)
    try:
        with running.person() as person:
            person.post("/v1/readings", json=bundle(list(observations(life))))
            told = person.get("/v1/risk").json()
            server.stop()
            clock[0] += timedelta(hours=3)
            away = person.get("/v1/risk")
            assert away.status_code == 503 and away.headers["Retry-After"]
            assert away.json()["last"] == told and away.json()["age_s"] == 3 * 3600
            assert "a model server at" in away.json()["detail"]
            assert person.get("/v1/triggers").status_code == 503
            kept = person.post("/v1/readings", json={"readings": [stress(7)]})
            assert kept.status_code == 202 and kept.json()["read"] == 1
            with running.person() as new:
                new.post("/v1/readings", json={"readings": [stress(7)]})
                nothing = new.get("/v1/risk")
                assert nothing.status_code == 503 and nothing.json()["last"] is None
            back = serve(models, int(server.target.rpartition(":")[2]))
            try:
                # gRPC connects again within two seconds.
                for _ in range(100):
                    if (again := person.get("/v1/risk")).status_code == 200:
                        break
                    time.sleep(0.1)
                assert again.status_code == 200, again.text
                here = [risk["probability"] for risk in again.json()["risks"]]
                there = [risk["probability"] for risk in told["risks"]]
                # A reading of another month is more to know.
                assert np.isfinite(here).all() and here != there
            finally:
                back.stop()
    finally:
        running.stop()
        client.close()


def test_a_server_without_the_model_is_no_fault_of_who_asks(server, standing):
    with Client(server.target, "other", timeout=20) as client:
        inference = ServedInference(client)
        with pytest.raises(ConnectionError, match="expected a model of migraine; received 'other'"):
            inference.risks(standing.batch)
