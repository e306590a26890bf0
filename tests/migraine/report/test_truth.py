"""Every sentence of the report is true of thin and odd records too, and counts agree everywhere."""

import html
import re
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aline_tf.migraine.forecast import wording
from aline_tf.migraine.forecast.backtest import BacktestScore
from aline_tf.migraine.forecast.moment import standpoint
from aline_tf.migraine.forecast.triggers import TriggerPosterior
from aline_tf.migraine.forecast.unlikeness import unlikeness
from aline_tf.migraine.records.days import DayHistory, day_history
from aline_tf.migraine.records.importers import import_timeline
from aline_tf.migraine.report import console_text, outlook_document, render
from aline_tf.migraine.schema.channels import FIELD_INDEX, FIELD_NAMES, places

ATTACK = list(places("attack"))
LENGTH = 112


def history(outlook, days: str) -> DayHistory:
    """A history that ends with `days`: "+" an attack, "-" none, "?" a plain yes, "." no report,
    " " nothing at all recorded."""
    values = np.zeros([LENGTH, len(FIELD_NAMES)], np.float32)
    status = np.zeros([LENGTH, len(FIELD_NAMES)], np.int32)
    hourless = np.zeros(LENGTH, bool)
    for ago, kind in enumerate(reversed(days)):
        row = LENGTH - 1 - ago
        if kind != " ":
            status[row, FIELD_INDEX["resting_hr"]] = 1
            values[row, FIELD_INDEX["resting_hr"]] = 60.0 + 3.0 * (row % 3 - 1)
        if kind in "+-":
            status[row, ATTACK] = 1
            values[row, ATTACK[1]] = kind == "+"
        if kind == "?":
            status[row, ATTACK[1]] = values[row, ATTACK[1]] = 1
            hourless[row] = True
    last = outlook.history.dates[-1]
    dates = tuple(last - timedelta(days=ago) for ago in range(LENGTH - 1, -1, -1))
    return DayHistory(values, status, dates, outlook.history.now, hourless)


def of(outlook, days: str, **changes):
    made = history(outlook, days)
    return replace(outlook, history=made, unlikeness=unlikeness(made), **changes)


def texts(outlook) -> tuple[str, str, dict]:
    """Console, page without tags, and document."""
    page = re.sub(r"<style>.*?</style>", "", render(outlook), flags=re.S)
    page = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
    return console_text(outlook), page, outlook_document(outlook)


def test_no_share_is_made_of_one_day(example_outlook):
    console, page, document = texts(of(example_outlook, "+"))
    for text in (console, page):
        assert "1 of 1" not in text and "over 99%)" not in text
        assert "Only 1 day with records" in text
    assert document["days"]["share_with_an_attack"] is None


def test_no_share_is_made_of_attacks_alone(example_outlook):
    """As in an export of an attack diary: the other days are not known to be free."""
    console, page, document = texts(of(example_outlook, "+..+...+.+....+..+" * 5))
    for text in (console, page):
        assert "no share follows from that" in text and "notes attacks alone" in text
        assert not re.search(r"(\d+) of \1\b", text)
    assert document["days"]["attacks_alone"] and document["days"]["share_with_an_attack"] is None


def test_an_attack_every_day_is_told_as_that(example_outlook):
    score = BacktestScore(evenings=59, attacks=59, brier=0.1, base_brier=0.0)
    console, page, _ = texts(of(example_outlook, "+" * LENGTH, score=score))
    for text in (console, page):
        assert f"the diary tells of {LENGTH} days, each of them with an attack." in text
        assert "too few attacks" not in text
        assert "unlike those of the simulated people" in text
        assert "longest run of attack days is 112 days, among those people 0 days to 5" in text
    assert "an attack followed 59 of them" in page


def test_a_diary_that_begins_with_an_attack_every_day_is_unlike_any_simulated_one(example_outlook):
    console, page, _ = texts(of(example_outlook, "+" * 30 + "." + "+" * 29))
    for text in (console, page):
        assert "the diary tells of 59 days, each of them with an attack." in text
        assert "unlike those of the simulated people" in text


def test_what_is_said_of_the_diary_is_said_of_the_days_looked_at(example_outlook):
    """Somebody with years of a diary: the counts are those of the last 112 days."""
    for days in ("+---" * 28, "-" * LENGTH, "+" * LENGTH, "+---", "+..." * 28):
        sentence = wording.diary(of(example_outlook, days))
        assert sentence.startswith(f"In the last {LENGTH} days the diary ")


def test_nothing_is_most_worth_knowing_where_nothing_is_worth_its_burden(example_outlook):
    cheap = replace(example_outlook.next_candidates[0], value=-0.001)
    _, page, _ = texts(replace(example_outlook, next_candidates=[cheap]))
    assert "Nothing that could be found out this evening is worth its burden." in page
    assert "Most worth knowing next" not in page


def test_no_attack_at_all_is_told_as_that(example_outlook):
    console, page, document = texts(of(example_outlook, "-" * 84))
    for text in (console, page):
        assert (
            "In the last 112 days the diary tells of 84 days, none of them with an attack" in text
        )
    assert document["days"]["share_with_an_attack"] == 0.0


def test_the_caveat_comes_first_where_there_is_no_diary(example_outlook):
    console, page, document = texts(of(example_outlook, "." * 60, score=None))
    assert console.startswith("No diary tells of attacks in the last 112 days")
    assert page.index("No diary tells of attacks") < page.index("The risk of an attack is")
    assert document["caveats"][0].startswith("No diary")
    for text in (console, page):
        assert "0 of 0" not in text and "Strongest trigger:" not in text
        assert not re.search(r"\b(the|your) diary\b", text), "there is none"


def test_days_with_a_plain_yes_are_counted(example_outlook):
    console, page, document = texts(of(example_outlook, "-?--" * 28))
    for text in (console, page):
        assert "28 of 112 had an attack (25%)" in text
    assert document["days"]["with_an_attack"] == 28
    assert document["days"]["told_by_the_diary"] == 112


def test_days_with_a_plain_yes_of_a_file_are_counted(example_outlook, tmp_path):
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(LENGTH)]
    rows = [f"{day},{'yes' if n % 4 == 1 else 'no'}" for n, day in enumerate(days)]
    (tmp_path / "diary.csv").write_text("\n".join(["date,attack", *rows, ""]))
    timeline = import_timeline(diary=tmp_path / "diary.csv")
    made = day_history(timeline, standpoint(timeline).now, LENGTH)
    for text in texts(replace(example_outlook, history=made))[:2]:
        assert "In the last 112 days the diary tells of 112 days; 28 of 112 had an attack" in text


def test_no_trigger_is_the_strongest_without_days_of_both_kinds(example_outlook):
    loud = TriggerPosterior("alcohol", 0.9, 2.5, 1.5, 4.0, 0.8, days_recorded=112)
    for days in ("+" * LENGTH, "-" * LENGTH, "+---", "." * 60):
        console, page, _ = texts(of(example_outlook, days, triggers=[loud]))
        for text in (console, page):
            assert "Strongest trigger" not in text and "likely one of yours" not in text
            assert "No trigger can be told from your records yet" in text
    console, page, _ = texts(of(example_outlook, "+---" * 20, triggers=[loud]))
    assert "Strongest trigger: alcohol (90% likely to be yours)." in console
    assert "Strongest trigger: alcohol (90% likely to be yours)." in page


@pytest.mark.parametrize(
    ("changes", "stands_out"),
    [
        ({}, True),
        ({"days_recorded": 5}, False),
        ({"usual": 0.65}, False),
        ({"probability": 0.44}, False),
    ],
)
def test_a_trigger_stands_out_by_what_the_records_add(changes, stands_out):
    trigger = replace(
        TriggerPosterior("stress", 0.7, 1.5, 1.1, 2.0, 0.3, days_recorded=40, usual=0.35), **changes
    )
    assert bool(wording.outstanding([trigger])) == stands_out


@pytest.mark.parametrize(
    ("evenings", "attacks", "said"),
    [
        (1, 1, "One of these forecasts can be checked against the diary so far: too few"),
        (12, 12, "12 of these forecasts can be checked against the diary so far: too few"),
        (59, 59, "an attack followed 59 of them and none followed 0: too few of one kind"),
        (59, 0, "an attack followed 0 of them and none followed 59: too few of one kind"),
        (59, 58, "an attack followed 58 of them and none followed 1: too few of one kind"),
    ],
)
def test_why_a_score_says_nothing_is_said_rightly(evenings, attacks, said):
    assert said in wording.track_record(BacktestScore(evenings, attacks, 0.1, 0.1))


def test_records_unlike_any_simulated_ones_are_told_with_their_distance(example_outlook):
    made = history(example_outlook, "+---" * 28)
    made.values[:, FIELD_INDEX["resting_hr"]] += 58.0
    odd = replace(example_outlook, history=made, unlikeness=unlikeness(made))
    assert odd.unlikeness.is_unlike
    console, page, document = texts(odd)
    for text in (console, page):
        assert "The usual level of resting heart rate is 118 bpm, among those people 45 bpm" in text
    assert document["unlikeness"]["distance"] > 1.45


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(days=st.text("+-?. ", min_size=1, max_size=LENGTH))
def test_counts_agree_in_console_page_and_document(example_outlook, days):
    outlook = of(example_outlook, days)
    console, page, document = texts(outlook)
    attacks = days.count("+") + days.count("?")
    told, recorded = attacks + days.count("-"), LENGTH - days.count(" ") - (LENGTH - len(days))
    counts = document["days"]
    assert (counts["with_an_attack"], counts["told_by_the_diary"]) == (attacks, told)
    assert counts["with_records"] == recorded
    sentence = wording.diary(outlook)
    assert bool(sentence) == (told > 0)
    for text in (console, page):
        assert (sentence or "") in text
        assert f"telling of {recorded} of the last {LENGTH} days" in text
        assert not re.search(r"\b1 (days|records|evenings|forecasts)\b", text)
        for note in document["caveats"]:
            assert note in text
    share = counts["share_with_an_attack"]
    assert share is None or (told >= 14 and share == attacks / told)
    assert date.fromisoformat(document["now"][:10]) == outlook.history.dates[-1]
