"""A gateway with a real port, a small model, and people of its own for every test."""

import atexit
import contextlib
import functools
import os
import threading
import time
from datetime import UTC, datetime

import httpx
import pytest
import uvicorn

from aline_tf.gateway.app import create_app
from aline_tf.gateway.settings import Settings
from aline_tf.gateway.storage.people import add_person, issue_token
from tests.gateway.postgres import postgres, postgres_server
from tests.migraine.conftest import compiled_model, model

__all__ = ["compiled_model", "model", "postgres"]

#: The present moment of every test: a morning after all that is posted.
NOW = datetime(2025, 6, 1, 9, 0, tzinfo=UTC)


class Running:
    """An application behind a port; people are added as an operator does."""

    def __init__(self, app):
        self.app, self.service = app, app.state.gateway
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="warning", ws="websockets-sansio"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            time.sleep(0.01)
        (port,) = (s.getsockname()[1] for each in self._server.servers for s in each.sockets)
        self.url = f"http://127.0.0.1:{port}"

    def person(self, zone="Europe/Berlin"):
        """A client with the token of a new person."""
        with self.service.database.writing() as connection:
            person = add_person(connection, self.service.now(), zone)
            token = issue_token(connection, person, "a test", self.service.now())
        client = self.client(token)
        client.person, client.token = person, token
        return client

    def client(self, token=None):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def stop(self):
        self._server.should_exit = True
        self._thread.join()


def settings_in(folder, **others):
    database = f"sqlite:///{folder / 'gateway.db'}"
    if os.environ.get("ALINE_TF_TEST_DATABASE") == "postgresql":
        database = lasting_server().database()
    return Settings(**{"database": database, "attend_seconds": 0} | others)


@functools.cache
def lasting_server():
    """A PostgreSQL until the tests end, for all of the gateway's that are run on it by hand."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(postgres_server())


@pytest.fixture(scope="module")
def inference(compiled_model):
    from aline_tf.gateway.forecasts.inference import LocalInference

    return LocalInference(compiled_model, cost_weight=1e-9)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, inference):
    folder = tmp_path_factory.mktemp("gateway")
    running = Running(create_app(settings_in(folder), inference=inference, clock=lambda: NOW))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def clocked(tmp_path_factory, inference):
    """A gateway whose clock is turned by hand."""
    clock = [NOW]
    settings = settings_in(tmp_path_factory.mktemp("clocked"), plan_twins=8)
    running = Running(create_app(settings, inference=inference, clock=lambda: clock[0]))
    running.clock = clock
    yield running
    running.stop()


@pytest.fixture
def person(gateway):
    with gateway.person() as client:
        yield client


@pytest.fixture(scope="session")
def life():
    """The timeline of a person over 40 days: answers, nights, steps, attacks, refusals."""
    import numpy as np

    from aline_tf.migraine.records.timeline import KINDS, Timeline

    draws, rows, day_s = np.random.default_rng(4), [], 86_400
    start = int(datetime(2025, 4, 1, 22, tzinfo=UTC).timestamp())  # midnight in Berlin

    def row(begin, end, channel, value, status=1, source="diary"):
        span = (begin, end, end if end is not None else begin, 120, 120)
        rows.append((*span, channel, float(value), KINDS[channel].unit, status, source))

    for midnight in range(start, start + 40 * day_s, day_s):
        evening = midnight + 20 * 3600
        row(evening, evening, "stress", draws.integers(0, 11))
        row(evening, evening, "pain", draws.integers(0, 5), status=1)
        row(midnight, midnight + day_s, "caffeine", draws.integers(0, 5))
        waking = midnight + 7 * 3600
        row(waking, waking, "sleep_hours", draws.uniform(5, 9), source="ring")
        row(waking, waking, "rmssd", draws.uniform(20, 60), source="ring")
        for hour in (9, 13, 18):
            begin = midnight + 3600 * hour
            row(begin, begin + 3600, "steps", draws.integers(0, 4000), source="phone")
        row(midnight, midnight + day_s, "attack_report", 0)
        if draws.random() < 0.2:
            begin = midnight + int(draws.integers(6, 20)) * 3600
            row(begin, begin + 5 * 3600, "attack", 1)
        if draws.random() < 0.2:
            row(midnight, midnight + day_s, "alcohol", 0, status=2)
    return Timeline.from_rows(rows)
