"""A PostgreSQL of a test's own, where one is installed."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

#: Who runs it where the tests run as root, which PostgreSQL refuses; the first that there is.
UNPRIVILEGED = ("postgres", "nobody")


def binaries() -> Path | None:
    """Where initdb and postgres are; None on a machine without."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += [Path(f"/usr/lib/postgresql/{version}/bin") for version in range(19, 12, -1)]
    whole = (f for f in folders if (f / "initdb").exists() and (f / "postgres").exists())
    return next(whole, None)


def unprivileged() -> dict[str, int]:
    """Arguments of a process that root starts as somebody else; none for anybody but root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    who = next(known[name] for name in UNPRIVILEGED if name in known)
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


class PostgresServer:
    """A server behind a port of this machine, with a database for everybody who wants one.

    Args:
        bin: where its programs are.
        folder: for its data; belongs to whom it runs as.
    """

    def __init__(self, bin: Path, folder: Path):
        self._bin, self._folder, self._who = bin, folder, unprivileged()
        if self._who:
            os.chown(folder, self._who["user"], self._who["group"])
        made = [bin / "initdb", "-D", folder / "data", "-U", "gateway", "--auth=trust", "--no-sync"]
        made += ["--encoding=UTF8", "--locale=C"]
        done = subprocess.run(made, cwd=folder, capture_output=True, text=True, **self._who)
        assert done.returncode == 0, done.stdout + done.stderr
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        """Start it, again if it was killed, and wait until it answers."""
        for _ in range(100):
            self._start()
            while self._process.poll() is None:
                with contextlib.suppress(psycopg.OperationalError):
                    self._connection().close()
                    return
                time.sleep(0.02)
            log = (self._folder / "log").read_text()
            # What is left of one that was killed ends by itself, and is waited for.
            assert "is still in use" in log.splitlines()[-2], log
            time.sleep(0.1)
        raise AssertionError(log)

    def database(self) -> str:
        """The URL of a new database in it."""
        name = f"of_{uuid.uuid4().hex}"
        with contextlib.closing(self._connection()) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://gateway@127.0.0.1:{self.port}/{name}"

    def kill(self) -> None:
        """As when power fails: nothing is written any more."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it; nothing of it is to be kept."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()

    def _start(self) -> None:
        command = [self._bin / "postgres", "-D", self._folder / "data", "-p", str(self.port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        # It is killed and not the machine: what the system has is there, and disks are slow.
        command += ["-c", "fsync=off"]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=log, **self._who
            )

    def _connection(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="gateway", dbname="postgres", autocommit=True
        )


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server that ends with the block; a test that wants one is skipped where none can be."""
    bin = binaries()
    if bin is None:
        pytest.skip("no PostgreSQL on this machine (initdb)")
    # Not in the folder of the tests, which is for one user alone.
    with tempfile.TemporaryDirectory(prefix="aline_tf-postgres-") as folder:
        server = PostgresServer(bin, Path(folder))
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One for all tests of a process."""
    with postgres_server() as server:
        yield server
