"""Forecasts of past evenings: nothing leaks from later days, and the score is what it says."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from aline_tf.migraine.forecast.backtest import (
    BacktestScore,
    Evening,
    backtest_evenings,
    backtest_score,
    daily_attacks,
)
from aline_tf.migraine.forecast.forecast import Risk
from aline_tf.migraine.forecast.moment import evening_of
from aline_tf.migraine.forecast.outlook import outlook_at
from aline_tf.migraine.records.days import DayHistory, day_history
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.schema.channels import FIELD_NAMES, places


def cut(timeline: Timeline, moment: datetime) -> Timeline:
    """The timeline as it stood at a moment: later rows were not known yet."""
    frame = timeline.frame[timeline.frame["known"] <= pd.Timestamp(moment)]
    return replace(timeline, frame=frame.reset_index(drop=True))


def test_past_evening_is_forecast_the_same_without_later_data(model, example):
    now = example.evening()
    evenings = backtest_evenings(model, example, now, days=21, draws=4)
    past = now - timedelta(days=14)
    earlier = backtest_evenings(model, cut(example, past), past, days=7, draws=4)
    assert [evening.day for evening in earlier] == [evening.day for evening in evenings[:7]]
    for alone, later in zip(earlier, evenings, strict=False):
        for one, other in zip(alone.risks, later.risks, strict=True):
            assert one.probability == pytest.approx(other.probability, abs=1e-5)
            assert one.low == pytest.approx(other.low, abs=1e-4)


def test_whole_outlook_of_a_past_evening_does_not_see_later_data(model, example):
    now = evening_of(example, "2025-04-05")
    seen = outlook_at(model, example, now, cost_weight=0.001)
    blind = outlook_at(model, cut(example, now), now, cost_weight=0.001)
    assert seen.risks == blind.risks
    assert seen.triggers == blind.triggers
    assert seen.valued_candidates == blind.valued_candidates
    assert seen.evenings == blind.evenings


def test_last_evening_is_the_present_forecast(model, example):
    outlook = outlook_at(model, example, example.evening(), cost_weight=0.001)
    last = outlook.evenings[-1]
    assert last.day == outlook.history.dates[-1]
    assert last.followed is None
    for one, other in zip(last.risks, outlook.risks, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-5)


def test_evenings_before_the_first_record_are_left_out(model, example):
    first = day_history(example, example.evening(), 112)
    now = evening_of(example, "2025-02-10")
    evenings = backtest_evenings(model, example, now, days=60, draws=2)
    recorded = (first.status > 0).any(axis=1)
    assert evenings[0].day == first.dates[int(recorded.argmax())]
    assert len(evenings) == (now.date() - evenings[0].day).days + 1


def test_days_of_the_diary_are_attack_free_only_when_every_slot_is_told():
    values, status = np.zeros([4, len(FIELD_NAMES)]), np.zeros([4, len(FIELD_NAMES)], int)
    night, morning, *_ = places("attack")
    status[1, list(places("attack"))] = 1
    status[2, [night, morning]] = 1
    status[3, morning], values[3, morning] = 1, 1.0
    dates = tuple(date(2025, 3, day) for day in range(1, 5))
    history = DayHistory(values, status, dates, datetime(2025, 3, 4, 20))
    assert daily_attacks(history) == [None, False, None, True]


def evening(risk: float, followed: bool | None) -> Evening:
    risks = (Risk(24, risk, risk, risk), Risk(48, risk, risk, risk))
    return Evening(date(2025, 1, 1), risks, None, followed)


def test_score_by_hand():
    result = backtest_score([evening(0.5, True), evening(0.2, False), evening(0.9, None)])
    assert result == BacktestScore(2, 1, pytest.approx((0.25 + 0.04) / 2), pytest.approx(0.25))
    assert not result.enough
    assert backtest_score([evening(0.9, None)]) is None
    half_told = replace(evening(0.9, True), wholly_reported=False)
    assert backtest_score([evening(0.5, True), evening(0.2, False), half_told]) == result


def test_enough_needs_evenings_of_both_kinds():
    assert BacktestScore(60, 5, 0.1, 0.1).enough
    assert not BacktestScore(60, 4, 0.1, 0.1).enough
    assert not BacktestScore(60, 57, 0.1, 0.1).enough
