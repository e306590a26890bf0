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
from aline_tf.serving.limits import Limits
from tests.gateway.conftest import NOW, Running, settings_in
from tests.gateway.test_readings import bundle, stress
from tests.migraine.conftest import preset

__all__ = ["preset"]


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
def both(compiled_model, server, preset):
    with Client(server.target, "migraine", timeout=60) as client:
        served = ServedInference(client, 1e-9, preset=preset)
        yield LocalInference(compiled_model, 1e-9), served


@pytest.fixture
def means(server, monkeypatch):
    """A server whose models have no distributions, as those of before."""
    with Client(server.target, "migraine", timeout=60) as client:
        monkeypatch.setattr(client, "signatures", lambda: ("predict", "infer", "propose"))
        yield ServedInference(client)


class TestTheSameNumbers:
    def test_risks(self, both, standing):
        here, there = (inference.risks(standing.batch) for inference in both)
        for one, other in zip(here, there, strict=True):
            assert other == pytest.approx(one, abs=1e-5)

    def test_triggers(self, both, standing):
        here, there = (inference.triggers(standing.batch) for inference in both)
        for one, other in zip(here, there, strict=True):
            assert other.pop("name") == one.pop("name")
            assert other == pytest.approx(one, rel=1e-5, abs=1e-5)

    def test_gains(self, both, standing):
        one, other = (
            inference.next_question(standing.batch, standing.candidates) for inference in both
        )
        assert other.candidate == one.candidate and other.worth is one.worth
        assert other.gain == pytest.approx(one.gain, abs=1e-5) and one.gain > 0

    def test_plans(self, both, standing):
        here, there = (inference.plan(standing.history, 1.0, 8) for inference in both)
        assert there.chosen.options == here.chosen.options
        for one, other in zip(here.alone, there.alone, strict=True):
            assert other.log_score == pytest.approx(one.log_score, abs=1e-5)

    def test_probabilities_of_many_rows_come_in_parts(self, both, standing, monkeypatch):
        from aline_tf import batch_ops
        from aline_tf.gateway.forecasts import served_model

        many = batch_ops.repeat(batch_ops.drop_candidates(standing.batch), 5)
        monkeypatch.setattr(served_model, "Limits", lambda: Limits(B=2))
        here, there = (inference.probabilities(many) for inference in both)
        np.testing.assert_allclose(there, here, atol=1e-5)


class TestMeansAlone:
    """A model without distributions tells what it can, and None stands for the rest."""

    def test_risks(self, both, means, standing):
        for one, other in zip(
            both[0].risks(standing.batch), means.risks(standing.batch), strict=True
        ):
            assert other["probability"] == pytest.approx(one["probability"], abs=1e-5)
            assert other["hours"] == one["hours"] and other["low"] is other["high"] is None

    def test_triggers(self, both, means, standing):
        here, there = (each.triggers(standing.batch) for each in (both[0], means))
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

    def test_the_question_is_the_first_of_the_policy(self, means, standing, compiled_model):
        from aline_tf.migraine.forecast.value_of_information import policy_ranks

        served = means
        ranks, _ = policy_ranks(compiled_model, standing.batch)
        found = served.next_question(standing.batch, standing.candidates)
        assert ranks[standing.candidates.index(found.candidate)] == 1
        assert found.gain is None and found.worth is None
        assert served.next_question(standing.batch, []) is None

    def test_there_is_no_plan(self, means, standing):
        with pytest.raises(ConnectionError, match="the signature distributions"):
            means.plan(standing.history, 1.0, 8)


def test_while_the_server_is_away_readings_are_kept_and_the_last_forecast_is_told(
    models, tmp_path, life, preset
):
    server = serve(models)
    clock = [NOW]
    client = Client(server.target, "migraine", timeout=20, retry=Retry(1))
    app = create_app(
        settings_in(tmp_path),
        inference=ServedInference(client, preset=preset),
        clock=lambda: clock[0],
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
