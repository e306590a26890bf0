"""Answers: read strictly in natural form, and back from their timeline in their place."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from aline_tf.batch import NO_ANSWER, OBSERVED
from aline_tf.errors import InputError
from aline_tf.migraine.interview.answers import Answer, answers_timeline, expected, parse
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.schema.candidates import LIBRARY, LOOK_UPS, Candidate
from aline_tf.migraine.schema.channels import FIELD_INDEX

STRESS, DRINKS = Candidate("stress", 0, 3), Candidate("alcohol", 1)
PRESSURE, BUSY = Candidate("pressure_change", 0), Candidate("busy_hours", 1)
ATTACK = Candidate("attack", 0, 3)
ASKABLE = [c for c in LIBRARY if c.is_prompt or c.channel in LOOK_UPS]
SPOT = Candidate("ln_rmssd_spot", 0)


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
    # The evening is that of the day that was asked about, not that of the answer.
    assert timeline.evening() == now - timedelta(days=candidate.days_ago)


def test_counts_beyond_eight_are_told_as_they_are_and_known_as_eight():
    answer = Answer(DRINKS, 11.0)
    assert answer.field_value == 8.0
    now = datetime(2025, 4, 17, 20, tzinfo=UTC)
    timeline = answers_timeline([answer], now)
    assert timeline.frame["value"].tolist() == [11.0]
    assert day_history(timeline, now, 2).values[0, FIELD_INDEX["alcohol"]] == 8.0
