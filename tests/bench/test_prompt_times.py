"""What prompts tell by the time they are sent: as many both ways, and a budget that is kept."""

import numpy as np
import pytest

from aline_tf import cli
from aline_tf.bench import prompt_times
from aline_tf.bench.prompt_times import (
    PromptTimes,
    _evenly,
    _next_in_turn,
    _Scheduler,
    format_prompt_times,
)
from tests.migraine.conftest import compiled_model, model

__all__ = ["compiled_model", "model"]


def test_everybody_gets_as_many_prompts_in_every_row(compiled_model, monkeypatch):
    for name in ("EVENINGS", "WEEK"):
        monkeypatch.setattr(prompt_times, name, 3)
    monkeypatch.setattr(prompt_times, "LEAST", 0.0)
    found = prompt_times.prompt_times(compiled_model, people=5, week=2)
    scheduled = found["scheduled"]
    assert 0 < scheduled.sent.max() <= 2
    asked = scheduled.sent > 0
    assert (scheduled.gain[asked] > 0).all()
    for times in found.values():
        np.testing.assert_array_equal(scheduled.sent, times.sent)
        assert np.isfinite(times.rise[asked]).all() and np.isnan(times.gain[~asked]).all()
        assert times.offered.shape == (5, 3)
    table = format_prompt_times(found, 2)
    assert table.count("scheduled prompts are expected to tell") == 2


def test_hindsight_takes_the_best_evenings_of_every_week():
    weeks = np.array([[0, 0, 6, 0, 0, 1, 0, 7, 7, 7, 7, 7, 7, 7]], float)
    times = PromptTimes(*np.zeros((3, 1)), offered=weeks)
    mean = weeks.mean()
    assert times.in_hindsight(1) == pytest.approx((6 + 7) / 2 / mean)
    assert times.in_hindsight(7) == pytest.approx(1.0)
    # What came after the last whole week does not count.
    more = PromptTimes(*np.zeros((3, 1)), offered=np.concatenate([weeks, [[900.0]]], axis=1))
    assert more.in_hindsight(1) == times.in_hindsight(1)


def test_what_is_known_is_passed_over_in_turn():
    allowed = np.array([[True, False, True], [True, True, True], [True, False, False]])
    sent = np.array([1.0, 4.0, 2.0])
    expected = [[False, False, True], [False, True, False], [True, False, False]]
    np.testing.assert_array_equal(_next_in_turn(allowed, sent), expected)
    nothing = np.zeros((1, 3), bool)
    np.testing.assert_array_equal(_next_in_turn(nothing, np.zeros(1)), nothing)


def test_fixed_times_are_evenly_spaced():
    counts = np.array([0, 1, 4, 28])
    nights = np.array([_evenly(night, counts) for night in range(28)])
    np.testing.assert_array_equal(nights.sum(axis=0), counts)
    assert set(np.diff(np.flatnonzero(nights[:, 2]))) == {7}


def test_the_scheduler_keeps_the_budget_of_any_week():
    scheduler, draws = _Scheduler(people=40, week=2), np.random.default_rng(0)
    sent = np.array([scheduler.asks(night, draws.exponential(0.01, 40)) for night in range(28)])
    windows = [sent[first : first + 7].sum(axis=0).max() for first in range(22)]
    assert max(windows) == 2 and sent.sum() > 40 * 3


@pytest.mark.parametrize(
    "words", [["--prompt-times", "1"], ["--prompt-times", "9", "--task", "ces"]]
)
def test_what_cannot_be_meant(capsys, words):
    assert cli.main(["bench", *words]) == 2
    assert "--prompt-times" in capsys.readouterr().err
