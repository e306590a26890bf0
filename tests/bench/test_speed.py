"""The rows of speed: what is measured, what it is held against, how it is shown."""

import pytest

from aline_tf.bench import isolation
from aline_tf.bench.configurations import MEASURES, TASKS, TRAINING, reference
from aline_tf.bench.speed import format_speed, measure_rows


@pytest.fixture
def jobs(monkeypatch):
    """Every job asked for; each takes 10 ms of wall-clock, 5 s of CPU and 1 GB."""
    asked = []

    def measure(measurement, threads, **arguments):
        asked.append((measurement, threads, arguments))
        figures = {"first": 3.0, "wall": 0.01, "cpu": 5.0, "calls": 7, "peak_bytes": 10**9}
        return figures | {"episodes": 200, "states": 4}

    monkeypatch.setattr(isolation, "measure", measure)
    return asked


def test_every_figure_comes_from_a_process_of_its_own(jobs):
    rows = list(measure_rows(TASKS, tuple(MEASURES), (1, 2)))
    assert len(rows) == len(jobs)
    assert len({repr(job) for job in jobs}) == len(jobs)
    pools = {(r.task, r.candidates) for r in rows if r.measure == "forward"}
    assert {("location_finding", 2000), ("location_finding", 200), ("ces", 2000)} <= pools
    assert {("psychometric", 200), ("gp1d", 500), ("gp2d", 500)} <= pools
    trained = [r.task for r in rows if r.measure == "joint_step" and r.threads == 1]
    assert sorted(trained) == sorted(TASKS)


def test_a_task_of_ones_own_is_measured_too_and_held_against_nothing(jobs):
    own = "tests.experiments.test_own_task:Line"
    forward, step = measure_rows([own], ["forward", "joint_step"], [1])
    assert (forward.candidates, forward.horizon, forward.bar) == (200, 4, None)
    assert step.bar is None and [job[2]["task"] for job in jobs] == [own, own]


def test_functions_are_met_with_predictive_targets(jobs):
    list(measure_rows(["gp1d", "ces"], ["forward"], [1]))
    assert [job[2]["predicts"] for job in jobs] == [True, False]


def test_a_bar_counts_only_on_its_own_number_of_threads(jobs):
    one, two = measure_rows(["gp1d"], ["forward"], (1, 2))
    assert one.bar == two.bar == 0.004
    assert one.meets_bar is None and two.meets_bar is False
    location = list(measure_rows(["location_finding"], ["forward"], [2]))
    assert [r.meets_bar for r in location] == [True, None, None]


def test_the_bar_of_the_training_step_is_on_cpu_time_and_memory(jobs):
    (row,) = measure_rows(["location_finding"], ["joint_step"], [2])
    assert row.cpu_bar and row.meets_bar
    assert row.__class__(**(vars(row) | {"cpu": 9.1})).meets_bar is False
    assert row.__class__(**(vars(row) | {"peak_bytes": 4 * 10**9})).meets_bar is False


def test_the_table_shows_figures_bars_and_verdicts(jobs):
    table = format_speed(list(measure_rows(["location_finding"], ["run", "joint_step"], [2])))
    lines = {line.split()[3]: line for line in table.splitlines()[2:] if " 300 " not in line}
    assert "10.00 ms" in table and "1.00 GB" in table
    run = next(line for line in table.splitlines() if " 2000 " in line)
    assert run.split("  ")[-1].strip() == "30.00 ms"
    assert "400.00 ms" in run and "met" in run and "1.34 s" in run
    assert "9.00 s CPU, 3.50 GB" in lines["joint_step"]
    assert "28.00 s CPU, 11.00 GB" in lines["joint_step"]


def test_nothing_is_claimed_where_nothing_is_known():
    assert reference("ces", 2000, "forward").bar is None
    assert all(reference("gp1d", 200, measure).bar is None for measure in TRAINING)
