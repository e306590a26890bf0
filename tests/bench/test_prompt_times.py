"""What prompts tell by the time they are sent: as many both ways, and a budget that is kept."""

import numpy as np
import pytest

from aline_tf import cli
from aline_tf.bench import prompt_times
from aline_tf.bench.prompt_times import _evenly, _Scheduler, format_prompt_times
from tests.migraine.conftest import compiled_model, model

__all__ = ["compiled_model", "model"]


def test_everybody_gets_as_many_prompts_in_both_columns(compiled_model, monkeypatch):
    monkeypatch.setattr(prompt_times, "EVENINGS", 3)
    monkeypatch.setattr(prompt_times, "LEAST", 0.0)
    found = prompt_times.prompt_times(compiled_model, people=5, week=2)
    scheduled, fixed = found["scheduled"], found["fixed"]
    np.testing.assert_array_equal(scheduled.sent, fixed.sent)
    assert 0 < scheduled.sent.max() <= 2
    asked = scheduled.sent > 0
    assert (scheduled.gain[asked] > 0).all() and np.isfinite(fixed.rise[asked]).all()
    assert np.isnan(scheduled.gain[~asked]).all()
    assert "scheduled prompts are expected to tell" in format_prompt_times(found)


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
