"""Long histories: the exact posterior stays exact, one that stops reading is found out."""

import pytest

from aline_tf.acquisition.policies import RandomPolicy
from aline_tf.evaluation.promises import length
from tests.evaluation.promises.conftest import NODES, StopsReading


@pytest.fixture(autouse=True)
def few_runs(monkeypatch):
    monkeypatch.setattr(length, "GAIN_RUNS", 6)
    monkeypatch.setattr(length, "MANY_RUNS", 3)


def test_the_exact_posterior_stays_exact(examined):
    rows = {row.measured: row for row in length.figures(examined(policy=RandomPolicy(0)))}
    for trials in (60, 120):
        assert rows[f"{trials} trials: sd / exact"].figure == pytest.approx(1.0)
        assert rows[f"{trials} trials: RMSE / exact"].figure == pytest.approx(1.0)
        assert rows[f"{trials} trials: SBC p"].holds
    assert rows["500 random answers: sd / exact"].figure == pytest.approx(1.0)
    shown = rows["trial 61: share of the best gain"]
    assert 0.0 < shown.figure < 1.0


def test_who_stops_reading_is_too_wide(examined):
    rows = {row.measured: row for row in length.figures(examined(StopsReading(**NODES)))}
    assert rows["60 trials: sd / exact"].figure > 1.1
    assert rows["120 trials: sd / exact"].figure > rows["60 trials: sd / exact"].figure
    assert not rows["500 random answers: sd / exact"].holds
