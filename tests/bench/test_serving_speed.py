"""The load is what it says it is; figures of a server are printed, not asserted."""

import threading
import time

import pytest

from aline_tf.bench import serving_speed
from aline_tf.bench.serving_speed import (
    ServingFigures,
    format_serving,
    saturated,
    settle,
    steady,
    warm_up,
)
from aline_tf.cli import main


def test_a_steady_load_asks_so_many_and_counts_waiting_as_slow():
    asked, lock = [], threading.Lock()

    def ask():
        # As a server that answers one at a time, and the first one late.
        with lock:
            time.sleep(0.2 if not asked else 0.0)
            asked.append(time.perf_counter())

    times = steady(ask, rate=100.0, number=10)
    assert len(times) == len(asked) == 10
    # Those that were due while the first took its time have waited, too.
    assert sorted(times)[-5] > 0.1


def test_what_asking_raises_is_not_lost():
    def ask():
        raise ConnectionError("expected an answer")

    with pytest.raises(ConnectionError):
        steady(ask, rate=1000.0, number=2)
    with pytest.raises(ConnectionError):
        saturated(ask, clients=2, seconds=0.1)


def test_a_saturated_load_has_so_many_clients_at_a_time():
    inside, most, lock = 0, 0, threading.Lock()

    def ask():
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.01)
        with lock:
            inside -= 1

    rate = saturated(ask, clients=4, seconds=0.2)
    assert most == 4
    assert 0 < rate <= 400


def test_a_server_is_asked_often_and_then_left_until_it_rests(monkeypatch):
    seconds = iter([5.0, 6.0, 7.0, 7.01, 99.0])
    monkeypatch.setattr(serving_speed, "_processor_seconds", lambda pid: next(seconds))
    monkeypatch.setattr(serving_speed.time, "sleep", lambda seconds: None)
    asked = []
    warm_up(lambda: asked.append(1), 3, pid=1)
    assert len(asked) == 4 * serving_speed._OFTEN
    assert next(seconds) == 99.0


def test_where_nobody_tells_what_a_process_does_the_pause_is_a_fixed_one(monkeypatch):
    slept = []
    monkeypatch.setattr(serving_speed.time, "sleep", slept.append)
    settle(pid=2**31 - 1)
    assert slept == [serving_speed._UNTOLD]


def test_the_lines_tell_every_figure():
    lines = format_serving(ServingFigures("ces", 0.002, 0.0025, 0.003, 0.012, 100.0, 320.0))
    for part in (
        "2.00 ms",
        "2.50 ms",
        "p50 3.00 ms (1.5 and 1.2 times",
        "p99 12.00 ms (4.0 times p50)",
        "3.2 times",
    ):
        assert part in lines


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["serving", "--budget", "1"], "expected serving without --budget"),
        (["serving", "--task", "nothing"], "expected models of the package to serve"),
        (["serving", "--seconds", "0"], "expected --seconds above 0; received 0"),
        (["--seconds", "1"], "expected serving with --seconds"),
    ],
)
def test_options_that_cannot_be_meant(options, message, capsys):
    assert main(["bench", *options]) == 2
    assert message in capsys.readouterr().err


def test_the_command_prints_the_figures(monkeypatch, capsys):
    def measure(task, seconds, report):
        assert (task, seconds) == ("ces", 2.0)
        return ServingFigures(task, 0.002, 0.0025, 0.003, 0.012, 100.0, 320.0)

    monkeypatch.setattr(serving_speed, "measure_serving", measure)
    assert main(["bench", "serving", "--task", "ces", "--seconds", "2"]) == 0
    assert "100 a second alone, 320 merged" in capsys.readouterr().out
