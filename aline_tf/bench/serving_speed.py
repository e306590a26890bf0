"""How fast a served model answers: one question at a time, and as many as it can.

A server of its own process is asked over loopback, by threads of this one: what the client takes of
the same processors is part of the figures.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

#: Requests a second of the steady load, and candidates of each.
RATE, CANDIDATES = 50, 200
#: Clients that ask without a pause, to see how much a server can do.
CLIENTS = 32
#: Times that everything is asked before anything is measured: a server has compiled it by then.
_OFTEN = 30
#: Seconds of a processor that an idle server takes in one; pause where nobody can tell.
_IDLE, _UNTOLD = 0.05, 30.0
_OBSERVATIONS = 15


@dataclasses.dataclass(frozen=True)
class ServingFigures:
    """Figures of one served model.

    Attributes:
        task: name of the model.
        frozen: seconds of the frozen model's pass in process, median of one right after the other.
        frozen_paced: the same at `RATE` a second, between which processor and threads fall asleep,
            as they do between questions; from when each was due.
        p50, p99: seconds of a question at `RATE` a second, from when it was due.
        alone, merged: questions a second that were answered when `CLIENTS` asked without a pause,
            each by a pass of its own, and with those that waited merged.

    Example:
        >>> from aline_tf.bench.serving_speed import ServingFigures
        >>> ServingFigures("ces", 0.001, 0.002, 0.003, 0.009, 100.0, 300.0).times_merged
        3.0
    """

    task: str
    frozen: float
    frozen_paced: float
    p50: float
    p99: float
    alone: float
    merged: float

    @property
    def times_merged(self) -> float:
        """How many times more questions are answered with merging."""
        return self.merged / self.alone


def measure_serving(
    task: str, seconds: float, report: Callable[[str], None] = lambda line: None
) -> ServingFigures:
    """Serves a model of the package and asks it for the next question, first until it has compiled
    what it will.

    Args:
        task: its name.
        seconds: of each of the three loads.
        report: called with a line before each measurement.

    Raises:
        RuntimeError: the server does not start.
    """
    number = max(int(RATE * seconds), 1)
    report(f"{task}: a pass of the frozen model")
    in_process = _frozen_pass(task)
    frozen = _seconds(in_process)
    frozen_paced = float(np.median(steady(in_process, RATE, number)))
    with served(task) as ask:
        report(f"{task}: {RATE} questions a second")
        times = steady(ask, RATE, number)
        report(f"{task}: as many questions as are answered, merged")
        merged = saturated(ask, CLIENTS, seconds)
    with served(task, "--no-batching") as ask:
        report(f"{task}: as many questions as are answered, each alone")
        alone = saturated(ask, CLIENTS, seconds)
    p50, p99 = np.quantile(times, [0.5, 0.99])
    return ServingFigures(task, frozen, frozen_paced, float(p50), float(p99), alone, merged)


def format_serving(figures: ServingFigures) -> str:
    """The figures as lines.

    Args:
        figures: of one model.
    """
    return (
        f"{figures.task}: the next question, {CANDIDATES} candidates, {_OBSERVATIONS} observations,"
        f" one row\n"
        f"frozen, in process:         {1e3 * figures.frozen:.2f} ms, and at {RATE} a second"
        f" {1e3 * figures.frozen_paced:.2f} ms\n"
        f"at {RATE} a second:            p50 {1e3 * figures.p50:.2f} ms"
        f" ({figures.p50 / figures.frozen:.1f} and {figures.p50 / figures.frozen_paced:.1f} times"
        f" that),"
        f" p99 {1e3 * figures.p99:.2f} ms ({figures.p99 / figures.p50:.1f} times p50)\n"
        f"{CLIENTS} clients without a pause: {figures.alone:.0f} a second alone,"
        f" {figures.merged:.0f} merged ({figures.times_merged:.1f} times)"
    )


def steady(ask: Callable[[], object], rate: float, number: int) -> list[float]:
    """Seconds from when each question was due to its answer: one that waits because those before it
    took long is counted as slow.

    Args:
        ask: asks one question; called by several threads.
        rate: questions a second.
        number: of questions.
    """
    times: list[float] = []
    begin = time.perf_counter()

    def one(client: int) -> None:
        for place in range(client, number, CLIENTS):
            due = begin + place / rate
            time.sleep(max(due - time.perf_counter(), 0.0))
            ask()
            times.append(time.perf_counter() - due)

    # They take turns, and each sleeps until its own: nothing is handed from thread to thread.
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(one, range(CLIENTS)))
    return times


def warm_up(ask: Callable[[], object], clients: int, pid: int) -> None:
    """Asks often enough, alone and at once with others, for a server to compile what it is asked
    for, and waits until it has.

    Args:
        ask: asks one question; called by several threads.
        clients: how many ask at once.
        pid: of the server.
    """
    with ThreadPoolExecutor(clients) as threads:
        for _ in range(_OFTEN):
            ask()
            list(threads.map(lambda _: ask(), range(clients)))
    settle(pid)


def settle(pid: int, most: float = 300.0) -> None:
    """Waits until a process does nothing for a second, as far as the system tells.

    Args:
        pid: of the process.
        most: seconds to wait; where the system does not tell, as many as a program takes.
    """
    begin, before = time.perf_counter(), _processor_seconds(pid)
    while before is not None and time.perf_counter() - begin < most:
        time.sleep(1.0)
        now = _processor_seconds(pid)
        if now is None or now - before < _IDLE:
            return
        before = now
    if before is None:
        time.sleep(min(most, _UNTOLD))


def _processor_seconds(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def saturated(ask: Callable[[], object], clients: int, seconds: float) -> float:
    """Questions a second that are answered when clients ask without a pause.

    Args:
        ask: asks one question; called by several threads.
        clients: how many.
        seconds: for how long.
    """
    counts, start = [0] * clients, threading.Barrier(clients)

    def one(client: int) -> float:
        start.wait()
        begin = time.perf_counter()
        while time.perf_counter() - begin < seconds:
            ask()
            counts[client] += 1
        return time.perf_counter() - begin

    with ThreadPoolExecutor(clients) as threads:
        spent = list(threads.map(one, range(clients)))
    return sum(count / taken for count, taken in zip(counts, spent, strict=True))


@contextlib.contextmanager
def served(task: str, *options: str) -> Iterator[Callable[[], object]]:
    """A function that asks a served model of the package for the next question, once it is warm.

    Args:
        task: its name.
        options: of `aline-tf serve`.
    """
    from aline_tf.serving import Client

    command = [sys.executable, "-m", "aline_tf.cli", "serve", "--models", task, "--quiet"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--rest-port", "none", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines = iter(process.stdout.readline, "")
        address = next((line.split()[-1] for line in lines if line.startswith("serving ")), None)
        if address is None:
            raise RuntimeError(f"Expected a server. Received: exit code {process.wait()}")
        batch = _question(task)
        with Client(address, task, timeout=60.0) as client:

            def ask() -> object:
                return client.propose(batch, outputs=["index"])

            warm_up(ask, CLIENTS, process.pid)
            yield ask
    finally:
        process.terminate()
        process.wait()


def _question(task: str) -> dict[str, np.ndarray]:
    from aline_tf.models.packaged_presets import preset_spec
    from aline_tf.serving.extras.example_requests import example_request

    request = example_request(preset_spec(task), "propose", _OBSERVATIONS, 0, CANDIDATES)
    return {name: array for name, array in request.items() if not name.endswith("_count")}


def _frozen_pass(task: str) -> Callable[[], object]:
    from aline_tf.models.frozen import Frozen
    from aline_tf.models.packaged_presets import packaged_presets
    from aline_tf.models.presets import load_preset

    model, batch = Frozen(load_preset(packaged_presets()[task]), background=False), _question(task)
    return lambda: model.candidate_logits(batch)


def _seconds(in_process: Callable[[], object], calls: int = 200) -> float:
    times = []
    for _ in range(calls):
        begin = time.perf_counter()
        in_process()
        times.append(time.perf_counter() - begin)
    return float(np.median(times[10:]))
