"""`aline-tf migraine ask`: what is asked, how answers are read, what they move, what is written."""

import dataclasses
import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from aline_tf import cli
from aline_tf.batch import NO_ANSWER, OBSERVED
from aline_tf.errors import InputError
from aline_tf.migraine.interview.answers import Answer, answers_timeline, expected, parse
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.records.timeline_file import read_timeline
from aline_tf.migraine.schema.candidates import LIBRARY, LOOK_UPS, Candidate
from aline_tf.migraine.schema.channels import FIELD_INDEX

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
DIARY = EXAMPLES / "diary.csv"
STRESS, DRINKS = Candidate("stress", 0, 3), Candidate("alcohol", 1)
PRESSURE, BUSY = Candidate("pressure_change", 0), Candidate("busy_hours", 1)
ATTACK = Candidate("attack", 0, 3)
ASKABLE = [c for c in LIBRARY if c.is_prompt or c.channel in LOOK_UPS]
SPOT = Candidate("ln_rmssd_spot", 0)


class Person:
    """Types prepared lines, and remembers what was shown."""

    def __init__(self, *lines):
        self.lines, self.shown = list(lines), []

    def read(self, prompt):
        self.shown.append(prompt)
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)

    def write(self, line):
        self.shown.append(line)

    @property
    def text(self):
        return "\n".join(self.shown)


@pytest.fixture
def session(model, evening):
    """Hold an interview with a person who types some lines."""
    from aline_tf.migraine.interview.interview import Interview

    def _session(*lines, cost_weight=0.0, budget=3, history=evening[2]):
        person = Person(*lines)
        interview = Interview(model, history, cost_weight, budget, 0, person.read, person.write)
        interview.run()
        return interview, person

    return _session


@pytest.mark.parametrize(
    ("candidate", "text", "value"),
    [
        (ATTACK, "yes", 1.0),
        (ATTACK, " N ", 0.0),
        (STRESS, "7", 7.0),
        (STRESS, "0", 0.0),
        (DRINKS, "11", 11.0),
        (DRINKS, "2 drinks", 2.0),
        (PRESSURE, "-4,5", -4.5),
        (PRESSURE, "\u22124 hPa", -4.0),
        (BUSY, "90 min", 1.5),
        (SPOT, "42 ms", 42.0),
    ],
)
def test_answers_are_read_in_natural_form(candidate, text, value):
    assert parse(candidate, text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("candidate", "text", "format_text"),
    [
        (ATTACK, "7", "yes or no"),
        (STRESS, "yes", "a whole number from 0 to 10"),
        (STRESS, "11", "a whole number from 0 to 10"),
        (STRESS, "-1", "a whole number from 0 to 10"),
        (STRESS, "7.5", "a whole number from 0 to 10"),
        (STRESS, "nan", "a whole number from 0 to 10"),
        (DRINKS, "1e9", "a whole number from 0 to 100"),
        (PRESSURE, "1013", "a number from -100 to 100, in hPa"),
        (BUSY, "3 cups", "a number from 0 to 24, in h"),
        (SPOT, "0", "a number from 1 to 500, in ms"),
    ],
)
def test_what_cannot_be_read_says_what_was_expected_and_received(candidate, text, format_text):
    assert expected(candidate) == format_text
    with pytest.raises(InputError) as caught:
        parse(candidate, text)
    assert str(caught.value) == f"expected {format_text}; received {text!r}"


@pytest.mark.parametrize("value", [0.0, 1.0, None])
@pytest.mark.parametrize("candidate", ASKABLE, ids=lambda c: f"{c.channel}-{c.days_ago}-{c.slot}")
def test_every_answer_comes_back_from_its_timeline_in_its_place_and_nowhere_else(candidate, value):
    if candidate == SPOT and value is not None:
        value += 40.0
    now = datetime.fromisoformat("2025-04-17T20:00+02:00")
    answer = Answer(candidate, value)
    timeline = answers_timeline([answer], now)
    history = day_history(timeline, now, 4)
    assert np.argwhere(history.status).tolist() == [[3 - candidate.days_ago, candidate.field]]
    status = NO_ANSWER if value is None else OBSERVED
    assert history.status[3 - candidate.days_ago, candidate.field] == status
    held = history.values[3 - candidate.days_ago, candidate.field]
    assert held == np.float32(answer.field_value)
    assert held == np.float32(np.log(value) if candidate == SPOT and value else value or 0.0)
    assert not day_history(timeline, now.replace(hour=19), 4).status.any()
    assert timeline.evening() == now


def test_only_what_a_person_can_answer_is_asked(evening):
    from aline_tf.migraine.interview.interview import answerable

    pool = answerable(evening[2])
    assert pool == [c for c in evening[1] if c.is_prompt or c.channel in LOOK_UPS]
    assert 20 < len(pool) < len(evening[1])


def test_what_is_known_is_not_asked_and_nothing_is_asked_twice(session, evening):
    history = evening[2]
    status = np.where(history.status == 0, OBSERVED, history.status)
    status[-1, [STRESS.field, PRESSURE.field]] = 0
    _, person = session("s", "s", "s", history=dataclasses.replace(history, status=status))
    titles = {line.split(": ")[0] for line in person.shown if "expected gain" in line}
    assert {title.split(". ")[1] for title in titles} == {STRESS.label, PRESSURE.label}
    assert "Everything that you could be asked this evening is known already." in person.text
    assert person.lines == ["s"]


def test_the_question_is_the_one_most_worth_asking(session, model, evening):
    from aline_tf.migraine.forecast.person_batch import history_batch
    from aline_tf.migraine.forecast.value_of_information import value_candidates, worth_asking
    from aline_tf.migraine.forecast.wording import reason, worth

    _, person = session()
    pool = [c for c in evening[1] if c.is_prompt or c.channel in LOOK_UPS]
    batch, _ = history_batch(evening[2], pool)
    (best,) = worth_asking(value_candidates(model, batch, pool, 0.0), 1)
    assert f"1. {best.candidate.label}: {worth(best)}" in person.text
    interview, _ = session("q")
    assert reason(best, interview.risks[0].probability, evening[2]) in person.text


def test_an_answer_is_one_more_token_and_moves_the_risk(model, evening):
    from aline_tf import batch_ops
    from aline_tf.migraine.forecast.forecast import attack_risks
    from aline_tf.migraine.interview.interview import with_answer

    batch, candidates, history = evening
    with_stress = with_answer(batch, Answer(STRESS, 9.0), history)
    design = batch["candidate_design"][:, candidates.index(STRESS)]
    token = batch_ops.one_field([STRESS.field], [9.0], batch["context_status"].shape[2])
    by_hand = batch_ops.append(batch, design, *token)
    for name in by_hand:
        np.testing.assert_array_equal(with_stress[name], by_hand[name])
    silent = with_answer(batch, Answer(STRESS, None), history)
    assert silent["context_status"][0, -1, STRESS.field] == NO_ANSWER
    assert silent["context_status"][0, -1].sum() == NO_ANSWER
    assert not silent["context_outcome"][0, -1].any()
    before, after = (attack_risks(model, b)[0][0].probability for b in (batch, with_stress))
    assert before != after


def test_counts_beyond_eight_are_told_as_they_are_and_known_as_eight():
    answer = Answer(DRINKS, 11.0)
    assert answer.field_value == 8.0
    now = datetime(2025, 4, 17, 20, tzinfo=UTC)
    timeline = answers_timeline([answer], now)
    assert timeline.frame["value"].tolist() == [11.0]
    assert day_history(timeline, now, 2).values[0, FIELD_INDEX["alcohol"]] == 8.0


def test_the_session_shows_how_the_risk_moves_until_the_budget_is_spent(session):
    from aline_tf.migraine.forecast.wording import percent

    first, _ = session("q")
    start = percent(first.risks[0].probability)
    interview, person = session("1", "", "1", "1", budget=2)
    assert f"within 24 h: {start}" in person.text
    assert f"24 h: {start} -> " in person.text and "points" in person.text
    prompts = [a for a in interview.answers if a.candidate.is_prompt]
    assert len(prompts) == interview.prompts == 2
    assert "The budget of 2 prompts is spent." in person.text
    end = percent(interview.risks[0].probability)
    assert f"-> {end} (" in person.shown[-2]


def test_what_cannot_be_read_is_asked_again_and_changes_nothing(session):
    once, _ = session("1", "q")
    twice, person = session("perhaps", "1", "q")
    assert twice.answers == once.answers and twice.risks == once.risks
    assert "received 'perhaps' (Enter = no answer, s = skip it, q = stop)" in person.text


def test_no_answer_is_known_as_such_and_a_skipped_question_is_not(session, evening):
    silent, _ = session("", "q")
    (answer,) = silent.answers
    assert answer.value is None
    place = len(evening[2].dates) - 1 - answer.candidate.days_ago, answer.candidate.field
    assert evening[2].status[place] == 0 and silent.history.status[place] == NO_ANSWER
    skipped, person = session("s", "q")
    assert skipped.answers == [] and skipped.prompts == 0
    titles = [line for line in person.shown if "expected gain" in line]
    assert len(titles) == 2 and titles[0].split(":")[0] != titles[1].split(":")[0]
    np.testing.assert_array_equal(skipped.history.status, evening[2].status)


@pytest.mark.parametrize("lines", [("q",), ("QUIT",), ()])
def test_it_stops_when_told_to_or_when_there_is_no_more_to_read(session, lines):
    interview, person = session(*lines)
    assert interview.answers == []
    assert person.shown[-1] == "\nStopped."


def test_nothing_is_asked_that_is_not_worth_its_burden(session):
    interview, person = session("1", cost_weight=10.0)
    assert interview.answers == [] and person.lines == ["1"]
    assert "Nothing is worth its burden this evening at 10000.0 millinats" in person.text
    assert "less than its burden is worth" in person.text


def test_the_days_hold_the_answers(session, evening):
    interview, _ = session("1", "1", "", "q", budget=5)
    now = evening[2].now
    assert len(interview.answers) == 3
    alone = day_history(answers_timeline(interview.answers, now), now, len(evening[2].dates))
    expected_status = np.where(alone.status != 0, alone.status, evening[2].status)
    np.testing.assert_array_equal(interview.history.status, expected_status)
    expected_values = np.where(alone.status != 0, alone.values, evening[2].values)
    np.testing.assert_array_equal(interview.history.values, expected_values)


def test_it_starts_from_nothing(session):
    now = datetime(2025, 4, 17, 20, tzinfo=UTC)
    interview, person = session("1", "q", history=day_history(Timeline.empty(), now, 112))
    assert len(interview.answers) == 1
    assert "never answered so far" in person.text or "never read so far" in person.text


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
