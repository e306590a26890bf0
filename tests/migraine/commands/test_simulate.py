"""`aline-tf migraine simulate`: the table, the parameters, timelines that give the days back."""

import gzip
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from aline_tf import cli
from aline_tf.batch import OBSERVED
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.timeline_file import read_timeline
from aline_tf.migraine.schema.channels import END_OF_DAY_NAMES, FIELD_INDEX, FIELD_NAMES
from aline_tf.migraine.simulation.simulated_timeline import (
    last_evening,
)

PEOPLE, DAYS, SEED = 6, 60, 3
WINDOW = FIELD_INDEX["menstrual_window"]
OTHERS = np.delete(np.arange(len(FIELD_NAMES)), WINDOW)


def run(*words):
    return cli.main(["migraine", "simulate", *map(str, words)])


@pytest.fixture(scope="module")
def world():
    """The same people as the command simulates, as numpy arrays."""
    import tensorflow as tf

    from aline_tf import draws
    from aline_tf.migraine.simulation.simulator import simulate_people

    simulate = tf.function(lambda s: simulate_people(s, PEOPLE, DAYS))
    return {name: tensor.numpy() for name, tensor in simulate(draws.as_seed(SEED)).items()}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of everything that one run writes."""
    folder = tmp_path_factory.mktemp("simulated")
    words = ["--people", PEOPLE, "--days", DAYS, "--seed", SEED, "--out", folder / "people.csv"]
    words += ["--parameters", folder / "theta.csv", "--timelines", folder / "timelines"]
    assert run(*words) == 0
    return folder


def person(world, index):
    return (world[name][index] for name in ("value", "status_if_tried", "weekday"))


def test_the_table_is_empty_where_an_attempt_failed_and_holds_what_happened(written, world):
    table = pd.read_csv(written / "people.csv")
    assert len(table) == PEOPLE * DAYS
    assert table["person"].unique().tolist() == list(range(1, PEOPLE + 1))
    found = table[list(FIELD_NAMES)].to_numpy().reshape(PEOPLE, DAYS, -1)
    expected = np.where(world["status_if_tried"] == OBSERVED, world["value"], np.nan)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert np.isnan(found).any()
    np.testing.assert_array_equal(table["migraine_day"], world["attack"].max(axis=2).ravel())


def test_the_parameters_are_those_of_the_people(written, world):
    theta = pd.read_csv(written / "theta.csv", index_col="person")
    assert theta.index.tolist() == list(range(1, PEOPLE + 1))
    np.testing.assert_allclose(theta, world["theta"], rtol=1e-6)


def test_everything_leaves_nothing_empty_and_gz_is_compressed_alike(tmp_path, world, capsys):
    words = ["--people", PEOPLE, "--days", DAYS, "--seed", SEED, "--everything"]
    for name in ("one.csv.gz", "two.csv.gz"):
        assert run(*words, "--out", tmp_path / name) == 0
    one, two = (tmp_path / f"{name}.csv.gz" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert gzip.decompress(one.read_bytes()).startswith(b"person,day,weekday,")
    table = pd.read_csv(one)
    assert not table.isna().any().any()
    np.testing.assert_allclose(
        table[list(FIELD_NAMES)].to_numpy(),
        world["value"].reshape(-1, len(FIELD_NAMES)),
        rtol=1e-6,
        atol=1e-6,
    )
    said = capsys.readouterr().out
    monthly = world["attack"].max(axis=2).mean(axis=1) * 30.4
    shown = " / ".join(f"{value:.1f}" for value in np.percentile(monthly, [10, 50, 90]))
    assert f"Migraine days a month: {shown} at the 10th / 50th / 90th" in said
    assert f"{PEOPLE} simulated people, {DAYS} days each, seed {SEED}" in said
    assert f"{PEOPLE * DAYS} person-days in " in said and " a second" in said


def test_the_shifted_world_has_more_attacks_and_fewer_answers(tmp_path, capsys):
    tables = []
    for name, more in (("usual.csv", []), ("shifted.csv", ["--shifted"])):
        assert run("--people", 60, "--days", 30, "--out", tmp_path / name, *more) == 0
        tables.append(pd.read_csv(tmp_path / name))
    usual, shifted = tables
    assert shifted["migraine_day"].mean() > usual["migraine_day"].mean()
    assert shifted["stress_1"].isna().mean() > usual["stress_1"].isna().mean()
    assert "of the shifted world" in capsys.readouterr().out


def test_timelines_give_back_the_observed_days(written, world):
    files = sorted((written / "timelines").iterdir())
    assert [file.name for file in files] == [f"person-{n:04d}.jsonl" for n in range(1, PEOPLE + 1)]
    end_of_day = [FIELD_INDEX[name] for name in END_OF_DAY_NAMES]
    for index, file in enumerate(files):
        value, status, weekday = person(world, index)
        value, status = value.copy(), status.copy()
        status[-1, end_of_day] = 0
        history = day_history(read_timeline(file), last_evening(weekday), DAYS)
        assert [day.weekday() for day in history.dates] == weekday.tolist()
        np.testing.assert_array_equal(history.status[:, OTHERS], status[:, OTHERS])
        value = np.where(status == OBSERVED, value, 0.0)
        np.testing.assert_allclose(history.values[:, OTHERS], value[:, OTHERS], atol=1e-5)


def test_import_reads_a_timeline(written, tmp_path, capsys):
    source, out = written / "timelines" / "person-0002.jsonl", tmp_path / "t.jsonl"
    assert cli.main(["migraine", "import", str(source), "--out", str(out)]) == 0
    assert "simulated records: nobody's" in capsys.readouterr().out
    pd.testing.assert_frame_equal(read_timeline(out).frame, read_timeline(source).frame)


@pytest.mark.slow
def test_forecast_reads_a_timeline(written, preset, tmp_path, capsys):
    source = written / "timelines" / "person-0001.jsonl"
    words = ["--records", source, "--model", preset, "--out", tmp_path / "out"]
    assert cli.main(["migraine", "forecast", *map(str, words)]) == 0
    assert f"telling of {DAYS} of the last 112 days" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--people", 0], "--people from 1 to 10000; received 0"),
        (["--days", 400], "--days from 1 to 365; received 400"),
        (["--people", 10_000, "--days", 200], "--people times --days of at most 1,200,000"),
        (["--seed", -1], "expected --seed from 0"),
        (["--out", "{tmp}/people.txt"], "--out to end in .csv or .csv.gz"),
        (["--out", "{tmp}/folder.csv"], "received the directory"),
        (["--parameters", "{tmp}/people.csv"], "two different files"),
        (["--timelines", "{tmp}/full"], "new or empty directory"),
        (["--timelines", "{tmp}/full/mine.csv"], "received the file"),
        (["--out", "{tmp}/new/people.csv", "--timelines", "{tmp}/new"], "outside the directory"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, capsys, words, said):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.csv").write_text("mine")
    (tmp_path / "folder.csv").mkdir()
    before = sorted(tmp_path.rglob("*"))
    words = [str(word).format(tmp=tmp_path) for word in words]
    assert run("--out", tmp_path / "people.csv", *words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("aline-tf: error: expected") and printed.err.count("\n") == 1
    assert said in printed.err and "received" in printed.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failed_write_leaves_no_file(tmp_path, monkeypatch):
    from aline_tf.migraine.commands import simulate as simulate_command

    def fail(frame, path):
        raise OSError("disk full")

    monkeypatch.setattr(simulate_command, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        run(
            *("--people", 1, "--days", 2, "--out", tmp_path / "new" / "people.csv"),
            *("--timelines", tmp_path / "timelines"),
        )
    assert list(tmp_path.iterdir()) == []


def test_help_and_timelines_need_no_tensorflow():
    code = (
        "import sys, argparse\n"
        "from aline_tf.migraine.commands import simulate as simulate_command\n"
        "from aline_tf.migraine.simulation import simulated_timeline\n"
        "simulate_command.add_arguments(argparse.ArgumentParser())\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
