"""Databases that are locked or full and clocks that jump: each has its outcome, and heals."""

import contextlib
import sqlite3
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event

from aline_tf.gateway.app import create_app
from aline_tf.gateway.settings import Settings
from aline_tf.gateway.storage import database as databases
from aline_tf.migraine.records.fhir_export import observations
from tests.gateway.conftest import NOW, Running, settings_in
from tests.gateway.test_readings import bundle, stress


@pytest.fixture
def small(tmp_path, inference, monkeypatch):
    """A gateway of its own that hardly waits for locks; its clock can be set."""
    monkeypatch.setattr(databases, "PATIENCE_S", 0.2)
    clock = [NOW]
    app = create_app(settings_in(tmp_path), inference=inference, clock=lambda: clock[0])
    running = Running(app)
    running.clock, running.file = clock, tmp_path / "gateway.db"
    yield running
    running.stop()


def test_a_locked_database_takes_nothing_in_and_goes_on_afterwards(small, life):
    with small.person() as person:
        person.post("/v1/readings", json=bundle(list(observations(life))))
        other = sqlite3.connect(small.file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        refused = person.post("/v1/readings", json={"readings": [stress(7)]})
        assert refused.status_code == 503 and refused.headers["Retry-After"]
        # Readers do not wait for writers, and what is known is told.
        told = person.get("/v1/risk")
        assert told.status_code == 200
        other.execute("COMMIT")
        other.close()
        kept = person.post("/v1/readings", json={"readings": [stress(7)]})
        assert kept.status_code == 202 and not kept.json()["repeated"]


def test_a_full_disk_takes_nothing_in_and_loses_nothing(small):
    with small.person() as person:
        first = person.post("/v1/readings", json={"readings": [stress(7)]}).json()
        engine = small.service.database.engine
        with small.service.database.reading() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

        def full(connection, *_):
            connection.execute(f"PRAGMA max_page_count = {pages}").close()

        event.listen(engine, "connect", full)
        engine.dispose()
        # Half a kilobyte each, once compressed, so that the pages that are there are soon full.
        for day in range(1, 29):
            body = {"readings": [stress(7, day=day, note="".join(map(chr, range(200, 1200))))]}
            answer = person.post("/v1/readings", json=body)
            if answer.status_code != 202:
                break
        assert answer.status_code == 503 and "database" in answer.json()["detail"]
        assert person.get(f"/v1/receipts/{first['id']}").json() == first
        event.remove(engine, "connect", full)
        engine.dispose()
        assert person.post("/v1/readings", json=body).status_code == 202


def test_a_database_that_is_killed_loses_nothing_and_is_found_again(postgres, inference):
    settings = Settings(database=postgres.database(), attend_seconds=0)
    running = Running(create_app(settings, inference=inference, clock=lambda: NOW))
    with running.person() as person:

        def post(day):
            return person.post("/v1/readings", json={"readings": [stress(7, day=day)]})

        kept = [post(day).json() for day in range(1, 6)]
        postgres.kill()
        for refused in (post(6), person.get("/v1/risk"), person.get("/health")):
            assert refused.status_code == 503 and refused.headers["Retry-After"]
            assert "the database" in refused.json()["detail"]
        postgres.start()
        again = [post(day).json() for day in range(1, 7)]
        assert [each["repeated"] for each in again] == [True] * 5 + [False]
        for receipt in kept:
            assert person.get(f"/v1/receipts/{receipt['id']}").json() == receipt
    running.stop()


def test_who_gets_no_connection_is_told_to_come_again(small, monkeypatch):
    pool = small.service.database.engine.pool
    with small.person() as person, contextlib.ExitStack() as taken:
        for _ in range(pool.size() + pool._max_overflow):
            taken.enter_context(small.service.database.reading())
        monkeypatch.setattr(pool, "_timeout", 0.01)
        refused = person.post("/v1/readings", json={"readings": [stress(7)]})
        assert refused.status_code == 503 and refused.headers["Retry-After"]


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400), timedelta(hours=-2)])
def test_a_clock_that_jumps_changes_no_forecast_of_what_is_recorded(small, life, jump):
    with small.person() as person:
        person.post("/v1/readings", json=bundle(list(observations(life))))
        before = person.get("/v1/risk").json()
        small.clock[0] = NOW + jump
        after = person.get("/v1/risk").json()
        assert (after["evening"], after["risks"]) == (before["evening"], before["risks"])
        moment = datetime.fromisoformat(after["computed"])
        assert moment == small.clock[0]
        assert person.post("/v1/readings", json={"readings": [stress(7)]}).status_code == 202


def test_no_door_fails_whatever_is_sent_to_it(gateway):
    """Every door of the description, with strange parameters and bodies: refused in a sentence."""
    bodies = (None, b"", b"null", b"[]", b"{}", b'{"suppose": [""]}', b"\xff", b'{"url": 3}')
    with gateway.client() as stranger:
        paths = stranger.get("/openapi.json").json()["paths"]
    assert len(paths) > 12
    gateway.service.rate_limit._burst = 10_000
    with gateway.person() as person:
        for path, doors in paths.items():
            for method in doors:
                for strange in ("x", "-1", "9" * 30, "%00", "é", "a b", "a" * 300):
                    if path in ("/v1/events", "/v1/me") and method in ("get", "delete"):
                        # One does not end, and the other ends the person.
                        continue
                    place = path.replace("{client_id}", strange).replace("{number}", strange)
                    for body in bodies if "{" not in path else bodies[:1]:
                        answer = person.request(
                            method,
                            place,
                            params={"evening": strange},
                            content=body,
                            headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
                        )
                        shown = f"{method} {place} {body}: {answer.status_code} {answer.text}"
                        assert answer.status_code < 500, shown
                        if answer.status_code >= 400:
                            assert isinstance(answer.json()["detail"], str), shown
                    if "{" not in path:
                        break
