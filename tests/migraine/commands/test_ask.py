"""`aline-tf migraine ask`: what it reads, prints and writes, and what it refuses."""

import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from aline_tf import cli
from aline_tf.batch import NO_ANSWER
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.timeline_file import read_timeline

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
DIARY = EXAMPLES / "diary.csv"


@pytest.fixture
def ask(preset, monkeypatch):
    """Run the command on the example diary with lines on standard input; its exit code."""

    def _ask(*words, typed="", records=("--diary", DIARY)):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        return cli.main(
            [
                "migraine",
                "ask",
                *map(str, (*records, "--model", preset, "--cost-weight", 0, *words)),
            ]
        )

    return _ask


def test_answers_are_written_and_read_back_beside_the_other_records(ask, preset, tmp_path, capsys):
    out = tmp_path / "new" / "answers.jsonl"
    assert ask("--now", "2025-04-17", "--out", out, "--budget", 3, typed="1\nx\n1\n\n1\n1\n") == 0
    said = capsys.readouterr().out
    for part in ("Risk of an attack, at 20:00 on Thursday, 17 April 2025", "within 48 h:", "1. "):
        assert part in said
    assert "not a medical device" in said and "urgent care" in said
    assert f"Written: {out} (known from 2025-04-17T20:00 on)" in said

    from aline_tf.migraine.records.importers import import_timeline

    answers = read_timeline(out)
    assert len(answers) >= 3 and (answers.frame["status"] == NO_ANSWER).sum() == 1
    now = datetime(2025, 4, 17, 20, tzinfo=UTC)
    alone, diary, both = (
        day_history(import_timeline(None, **sources), now, 112)
        for sources in (
            {"records": [out]},
            {"diary": DIARY},
            {"diary": DIARY, "records": [out]},
        )
    )
    answered = alone.status != 0
    assert answered.sum() == len(answers) and not diary.status[answered].any()
    np.testing.assert_array_equal(both.status, np.where(answered, alone.status, diary.status))
    np.testing.assert_array_equal(both.values, np.where(answered, alone.values, diary.values))

    words = ["--records", DIARY, out, "--now", "2025-04-17", "--model", preset]
    words += ["--out", tmp_path / "report"]
    assert cli.main(["migraine", "forecast", *map(str, words)]) == 0
    assert (tmp_path / "report" / "report.html").is_file()


def test_earlier_sessions_of_the_day_and_of_the_week_count(ask, tmp_path, capsys):
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    words = ("--now", "2025-04-17", "--out", first)
    assert ask(*words, typed="1\n1\n1\n1\n") == 0
    assert "The budget of 2 prompts a day is spent." in capsys.readouterr().out
    records = ("--records", DIARY, first)
    assert ask("--now", "2025-04-17T22:00", typed="1\n", records=records) == 0
    said = capsys.readouterr().out
    assert "The budget of 2 prompts a day is spent." in said and "1. " not in said
    words = ("--now", "2025-04-18", "--weekly-budget", 3, "--out", second)
    assert ask(*words, typed="1\n1\n1\n1\n", records=records) == 0
    assert "The budget of 3 prompts a week is spent." in capsys.readouterr().out
    assert (read_timeline(second).frame["source"] == "ask").sum() >= 1
    records = ("--records", DIARY, first, second)
    words = ("--now", "2025-04-23", "--weekly-budget", 3)
    assert ask(*words, typed="1\n", records=records) == 0
    assert "The budget of 3 prompts a week is spent." in capsys.readouterr().out
    assert ask("--now", "2025-04-24", *words[2:], typed="1\n", records=records) == 0
    assert "1. " in capsys.readouterr().out


def test_without_records_it_starts_from_people_in_general(ask, tmp_path, capsys):
    out = tmp_path / "answers.jsonl"
    words = ("--now", "2025-04-17T21:00+02:00", "--out", out)
    assert ask(*words, typed="q\n", records=["--nothing"]) == 0
    said = capsys.readouterr().out
    assert "Nothing is recorded: this starts from what holds of people in general." in said
    assert "at 21:00 on Thursday, 17 April 2025" in said
    assert "Nothing was answered, so nothing is written" in said and not out.exists()
    assert (
        ask(
            "--now",
            "2025-07-17",
            "--zone",
            "Europe/Berlin",
            "--out",
            out,
            typed="1\nq\n",
            records=["--nothing"],
        )
        == 0
    )
    assert '"known": "2025-07-17T20:00:00+02:00"' in out.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nothing"], "expected no records with --nothing"),
        (["--cost-weight", "nan"], "expected --cost-weight of 0 or more"),
        (["--budget", "0"], "expected --budget from 1 to 100; received 0"),
        (["--weekly-budget", "101"], "expected --weekly-budget from 1 to 100; received 101"),
        (["--seed", "-1"], "expected --seed"),
        (["--out", "{tmp}"], "expected --out to end in .jsonl or .jsonl.gz"),
        (["--out", "{tmp}/d.jsonl"], "received the directory"),
        (["--records", "{tmp}/in.jsonl", "--out", "{tmp}/in.jsonl"], "than those read"),
        (["--records", "{tmp}/absent.jsonl"], "expected a file, a folder"),
        (["--now", "2025-04-17T09:00"], "18:00 to 23:59"),
        (["--model", "{tmp}"], "config.json"),
    ],
)
def test_bad_input_is_one_line_and_asks_and_leaves_nothing(ask, tmp_path, capsys, words, said):
    (tmp_path / "d.jsonl").mkdir()
    (tmp_path / "in.jsonl").write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    assert ask(*(word.format(tmp=tmp_path) for word in words), typed="1\n") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("aline-tf: error: expected") and printed.err.count("\n") == 1
    assert said in printed.err and "received" in printed.err
    assert sorted(tmp_path.rglob("*")) == before


def test_neither_records_nor_nothing_is_said(ask, capsys):
    assert ask(records=[]) == 2
    assert "or --nothing to start without" in capsys.readouterr().err


def test_help_needs_no_tensorflow():
    code = (
        "import sys, argparse\n"
        "from aline_tf.migraine.commands import ask as ask_command\n"
        "from aline_tf.migraine.interview import answers\n"
        "ask_command.add_arguments(argparse.ArgumentParser())\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
