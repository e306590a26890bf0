"""Plots: every mark where its number says, nothing off the drawing."""

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest

from aline_tf.migraine.forecast.backtest import Evening
from aline_tf.migraine.forecast.forecast import Risk
from aline_tf.migraine.report import plots


def evenings(count: int, risk: float = 0.2) -> list[Evening]:
    return [
        Evening(
            date(2025, 1, 1) + timedelta(days=day),
            (Risk(24, risk, risk / 2, min(1.5 * risk, 1.0)), Risk(48, risk, risk, risk)),
            None,
            (True, False, None)[day % 3],
        )
        for day in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 7, 60])
@pytest.mark.parametrize("risk", [0.001, 0.2, 0.99])
def test_drawing_stays_within_its_frame(count, risk):
    svg = plots.risk_over_time(evenings(count, risk), 340, 260, "a label")
    for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", svg):
        assert 0 <= float(x) <= 340 and 0 <= float(y) <= 260
    for name, limit in (("x", 340), ("cx", 340), ("y", 260), ("cy", 260)):
        for place in re.findall(rf' {name}[12]?="(-?[\d.]+)"', svg):
            assert 0 <= float(place) <= limit


@pytest.mark.parametrize("risk", [0.01, 0.2, 0.3, 0.45, 0.9])
def test_scale_is_labelled_in_round_numbers_up_to_the_highest_risk(risk):
    svg = plots.risk_over_time(evenings(9, risk), 340, 260, "a label")
    labels = [int(text) for text in re.findall(r">(\d+)%<", svg)]
    assert labels == sorted(labels) and labels[0] == 0
    assert labels[-1] >= 100 * min(1.5 * risk, 1.0)
    assert all(label % 5 == 0 for label in labels)


def test_recorded_days_are_marked_and_the_others_not():
    svg = plots.risk_over_time(evenings(9), 700, 300, "a label")
    assert svg.count('class="attack"') == 3
    assert svg.count('class="none"') == 3


def test_dates_do_not_run_into_each_other():
    svg = plots.risk_over_time(evenings(60), 340, 260, "a label")
    places = [
        float(x) for x in re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="middle"', svg)
    ]
    places.sort()
    assert len(places) >= 3
    assert all(b - a >= 45 for a, b in pairwise(places))


def test_marks_are_kept_on_their_track():
    assert "left:0.00%;width:100.00%" in plots.interval(-3.0, 7.0)
    assert "left:25.00%" in plots.dot(0.25)


def test_log_scale_puts_one_in_the_middle_of_its_inverses():
    place = plots.log_scale(0.25, 4.0)
    assert [place(x) for x in (0.25, 1.0, 4.0)] == pytest.approx([0.0, 0.5, 1.0])


def test_labels_are_escaped():
    assert "<b>" not in plots.track("<b>", "") + plots.bar('"<b>', 0.5)
