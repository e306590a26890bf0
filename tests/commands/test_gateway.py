"""`aline-tf gateway`: people and tokens, a demonstration, and a process that is killed."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import httpx
import pytest

from aline_tf import cli
from tests.gateway.test_storage import postgres

__all__ = ["postgres"]

ROOT = Path(__file__).resolve().parents[2]
ABSENT = "127.0.0.1:1"


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


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_what_was_acknowledged_is_there_once_when_the_process_was_killed(
    capsys, request, database, dialect
):
    """Four senders repeat what they were not told of; the process is killed meanwhile."""
    if dialect == "postgresql":
        database = request.getfixturevalue("postgres")
    _, token = token_of(capsys, database)
    headers = {"Authorization": f"Bearer {token}"}
    acknowledged, waiting = set(), [list(range(start, 160, 4)) for start in range(4)]

    def send(url, numbers, enough):
        with httpx.Client(base_url=url, headers=headers, timeout=120) as client:
            while numbers:
                number = numbers[0]
                reading = {"channel": "stress", "value": number % 11, "id": str(number)}
                reading["time"] = f"2025-03-{1 + number % 28:02d}T{number % 24:02d}:00:00Z"
                key = {"Idempotency-Key": f"reading-{number}"}
                try:
                    answer = client.post("/v1/readings", json={"readings": [reading]}, headers=key)
                except httpx.TransportError:
                    return
                assert answer.status_code == 202, answer.text
                acknowledged.add(number)
                numbers.pop(0)
                if len(acknowledged) >= 60:
                    enough.set()

    for kills in range(2):
        server, enough = (
            Process("--database", database, "--served-model", ABSENT, "--per-minute", "1e6"),
            threading.Event(),
        )
        threads = [
            threading.Thread(target=send, args=(server.url, numbers, enough)) for numbers in waiting
        ]
        for thread in threads:
            thread.start()
        if not kills:
            assert enough.wait(300)
            assert server.end(signal.SIGKILL) == -signal.SIGKILL
            for thread in threads:
                thread.join()
        else:
            for thread in threads:
                thread.join()
            with httpx.Client(base_url=server.url, headers=headers, timeout=120) as client:
                for number in range(160):
                    assert client.get(f"/v1/receipts/reading-{number}").status_code == 200
                packed = client.get("/v1/me/export").content
            assert server.end() == 0
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = [name for name in archive.namelist() if name.startswith("sent/")]
        sent = [json.loads(archive.read(name))["readings"][0]["id"] for name in names]
    assert sorted(map(int, sent)) == list(range(160)) and acknowledged == set(range(160))


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
