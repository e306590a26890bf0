"""Mixed requests of several people at half of what a gateway can answer: none fails.

A moment of it; ALINE_TF_LOAD_SECONDS=600 holds a gateway in a process of its own, with the shipped
model, for so long, and its memory to 5%.
"""

import itertools
import os
import threading
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest

from aline_tf.bench.serving_speed import saturated, steady
from aline_tf.gateway.storage.database import Database
from aline_tf.gateway.storage.people import add_person, issue_token
from aline_tf.migraine.records.fhir_export import observations
from tests.commands.test_gateway import Process
from tests.gateway.test_readings import bundle
from tests.resident import growth, resident

SECONDS = float(os.environ.get("ALINE_TF_LOAD_SECONDS", "0"))
CLIENTS, PEOPLE = 4, 4
#: What is asked, and how often of a hundred times.
ASKED = (
    ("POST", "/v1/readings", None, 50),
    ("GET", "/v1/risk", None, 8),
    ("GET", "/v1/question", None, 4),
    ("GET", "/v1/triggers", None, 3),
    ("POST", "/v1/what-if", {"suppose": ["stress=8"]}, 2),
    ("GET", "/v1/changes?since=2025-05-01T00:00:00Z", None, 2),
    ("GET", "/v1/me/devices", None, 5),
    ("GET", "/v1/me/audit", None, 5),
    ("GET", "/v1/me/export", None, 1),
    ("GET", "/", None, 3),
    ("GET", "/health", None, 10),
    ("GET", "/metrics", None, 5),
    ("GET", "/openapi.json", None, 2),
)


@pytest.fixture
def people(request, tmp_path):
    """(URL, tokens, process)"""
    if not SECONDS:
        gateway = request.getfixturevalue("gateway")
        gateway.service.rate_limit._burst = 1_000_000
        yield gateway.url, [gateway.person().token for _ in range(PEOPLE)], os.getpid()
        return
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    database, now = Database(url), int(datetime.now(UTC).timestamp())
    database.upgrade()
    with database.writing() as connection:
        added = [add_person(connection, now, "Europe/Berlin") for _ in range(PEOPLE)]
        tokens = [issue_token(connection, person, "a test", now) for person in added]
    database.close()
    server = Process("--database", url, "--per-minute", "1e6", "--quiet")
    yield server.url, tokens, server.process.pid
    assert server.end() == 0


class Asking:
    """One request after the other, each of a person and a kind by chance."""

    def __init__(self, url, tokens, life):
        self._clients = [
            httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=120)
            for token in tokens
        ]
        self._turn, self._draws = threading.Lock(), np.random.default_rng(0)
        self._number, sent = itertools.count(), bundle(list(observations(life)))
        for client, token in zip(self._clients, tokens, strict=True):
            client.cookies.set("aline_token", token)
            assert client.post("/v1/readings", json=sent).status_code == 202

    def __call__(self):
        with self._turn:
            client = self._clients[int(self._draws.integers(len(self._clients)))]
            kind = int(self._draws.choice(len(ASKED), p=[each[3] / 100 for each in ASKED]))
        method, path, body, _ = ASKED[kind]
        if path == "/v1/readings":
            body = {"readings": [reading(next(self._number))]}
        answer = client.request(method, path, json=body)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"

    def close(self):
        for client in self._clients:
            client.close()


def reading(number):
    """Of one day in May 2025; a phone repeats what it has sent."""
    at = datetime(2025, 5, 1, tzinfo=UTC) + timedelta(minutes=15 * (number % 96))
    return {"channel": "steps", "value": number % 500, "time": at.isoformat()} | {
        "end": (at + timedelta(minutes=15)).isoformat(),
        "source": "A Phone",
    }


def test_half_of_what_can_be_answered_is_answered(people, life):
    url, tokens, pid = people
    ask = Asking(url, tokens, life)
    for _ in range(20):
        ask()
    rate = saturated(ask, CLIENTS, max(SECONDS / 30, 0.2)) / 2
    number = int(rate * SECONDS) or 60
    with resident(pid, max(SECONDS / 600, 0.01)) as memory:
        times = steady(ask, rate, number)
    ask.close()
    assert len(times) == number
    p50, p99 = np.quantile(times, [0.5, 0.99])
    print(f"{number} requests at {rate:.0f} a second: p50 {1e3 * p50:.0f} ms, p99 {1e3 * p99:.0f}")
    print(f"{memory[-1]:.0f} MB")
    if SECONDS:
        print(f"memory grew by {growth(memory):+.1%}")
        assert growth(memory) < 0.05
