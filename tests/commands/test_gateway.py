"""`aline-tf gateway`: people and tokens, a demonstration, and a process that is killed."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import httpx
import pytest

from aline_tf import cli
from tests.gateway.postgres import postgres

__all__ = ["postgres"]

ROOT = Path(__file__).resolve().parents[2]
ABSENT = "127.0.0.1:1"
#: Readings that are sent while the gateway is killed; more of them by hand. How many a second, by
#: how many, so many at a time, and how often it is killed.
READINGS = int(os.environ.get("ALINE_TF_KILL_READINGS", "160"))
A_SECOND, SENDERS, TOGETHER = 200, 8, 4
POSTS = READINGS // TOGETHER
KILLS = max(1, READINGS // 1000)


class Process:
    """`aline-tf gateway serve` in a process of its own."""

    def __init__(self, *words):
        command = [sys.executable, "-m", "aline_tf.cli", "gateway", "serve", "--port", "0", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        line = self.process.stdout.readline()
        assert line.startswith("gateway on http://127.0.0.1:"), line
        self.url = line.split()[-1]

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.communicate(timeout=300)
        return self.process.returncode


def token_of(capsys, database, *words):
    assert cli.main(["gateway", "person", "--database", database, *words]) == 0
    person, token = (line.split()[1] for line in capsys.readouterr().out.splitlines())
    return person, token


@pytest.fixture
def database(tmp_path):
    return f"sqlite:///{tmp_path / 'gateway.db'}"


class TestPerson:
    def test_a_person_may_have_several_tokens(self, capsys, database):
        person, first = token_of(capsys, database, "--zone", "Europe/Berlin")
        same, second = token_of(capsys, database, "--person", person, "--label", "watch")
        assert same == person and first != second

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--zone", "Mars"], "a time zone"),
            (["--person", "nobody"], "the id of a person"),
            (["--person", "x", "--zone", "UTC"], "--zone for a new person"),
            (["--label", ""], "a label of 1 to 80"),
        ],
    )
    def test_what_cannot_be_meant(self, capsys, database, words, message):
        assert cli.main(["gateway", "person", "--database", database, *words]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--demo", "x.json", "--host", "0.0.0.0"], "--demo on this machine only"),
        (["--model", "x", "--served-model", "y:1"], "received both"),
        (["--host", "203.0.113.1"], "an address that is free"),
        (["--database", "nonsense"], "the URL of a database"),
    ],
)
def test_settings_that_cannot_be_meant(capsys, database, words, message):
    assert cli.main(["gateway", "serve", "--database", database, "--port", "0", *words]) == 2
    assert message in capsys.readouterr().err


def reading(number):
    time = f"2025-03-{1 + number % 28:02d}T{number % 24:02d}:00:00Z"
    return {"channel": "stress", "value": number % 11, "id": str(number), "time": time}


class Senders:
    """Send numbered posts at an even rate, and repeat those whose receipt they did not get.

    Args:
        headers: of every request.
    """

    def __init__(self, headers):
        self._headers, self.acknowledged = headers, set()
        self._waiting = [list(range(first, POSTS, SENDERS)) for first in range(SENDERS)]
        #: Seconds from when a post was due to its receipt.
        self.late = []

    def start(self, url):
        """Go on at a gateway."""
        self._begin, self._first = time.monotonic(), len(self.acknowledged)
        self._threads = [
            threading.Thread(target=self._send, args=(url, waiting)) for waiting in self._waiting
        ]
        for thread in self._threads:
            thread.start()

    def join(self):
        """Until all is acknowledged, or the gateway is gone."""
        for thread in self._threads:
            thread.join()

    def wait(self, count):
        """Until so many are acknowledged."""
        while len(self.acknowledged) < count:
            assert any(thread.is_alive() for thread in self._threads)
            time.sleep(0.001)

    def _send(self, url, waiting):
        with httpx.Client(base_url=url, headers=self._headers, timeout=120) as client:
            while waiting:
                number = waiting[0]
                due = self._begin + max(number - self._first, 0) * TOGETHER / A_SECOND
                time.sleep(max(due - time.monotonic(), 0))
                mine = range(TOGETHER * number, TOGETHER * (number + 1))
                body, key = {"readings": [reading(n) for n in mine]}, f"post-{number}"
                try:
                    answer = client.post(
                        "/v1/readings", json=body, headers={"Idempotency-Key": key}
                    )
                except httpx.TransportError:
                    return
                assert answer.status_code == 202, answer.text
                self.late.append(time.monotonic() - due)
                self.acknowledged.add(number)
                waiting.pop(0)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_what_was_acknowledged_is_there_once_when_the_process_was_killed(
    capsys, request, database, dialect
):
    """The process is killed at 200 readings a second, again and again."""
    if dialect == "postgresql":
        database = request.getfixturevalue("postgres").database()
    _, token = token_of(capsys, database)
    headers = {"Authorization": f"Bearer {token}"}
    senders, words = Senders(headers), ("--served-model", ABSENT, "--per-minute", "1e6", "--quiet")
    for kill in range(KILLS):
        server = Process("--database", database, *words)
        senders.start(server.url)
        senders.wait(POSTS * (kill + 1) // (KILLS + 1))
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
        senders.join()
    server = Process("--database", database, *words)
    senders.start(server.url)
    senders.join()
    with httpx.Client(base_url=server.url, headers=headers, timeout=120) as client:
        packed = client.get("/v1/me/export").content
    assert server.end() == 0
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = [name for name in archive.namelist() if name.startswith("sent/")]
        kept = [json.loads(archive.read(name))["readings"] for name in names]
    sent = [int(each["id"]) for readings in kept for each in readings]
    late = sorted(senders.late)
    print(f"{READINGS} readings, {KILLS} killed, receipts {late[len(late) // 2]:.3f} s after they")
    print(f"were due (median), at most {late[-1]:.3f} s")
    assert sorted(sent) == list(range(READINGS))
    assert senders.acknowledged == set(range(POSTS))


@pytest.mark.slow
def test_the_demonstration_answers_what_the_readme_asks(database):
    demo = "--demo examples/more/observations.json"
    assert demo in (ROOT / "Makefile").read_text()
    command = r'curl -H "(.+): (.+)" http://127\.0\.0\.1:8000(/\S+)'
    name, value, path = re.search(command, (ROOT / "README.md").read_text()).groups()
    server = Process("--database", database, *demo.split())
    try:
        with httpx.Client(base_url=server.url, timeout=300) as client:
            answer = client.get(path, headers={name: value})
        assert answer.status_code == 200
        assert all(0 < risk["probability"] < 1 for risk in answer.json()["risks"])
    finally:
        assert server.end() == 0
    assert os.path.exists(database.removeprefix("sqlite:///"))
