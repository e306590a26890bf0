"""The handler behaves as PsychoPy's do."""

import csv
import sys

import numpy as np
import pytest

from aline_tf.acquisition import Session
from aline_tf.acquisition.laboratory import TrialHandler
from aline_tf.errors import InputError

POOL = np.linspace(-5, 5, 21)[:, None]


@pytest.fixture
def model(psychometric_model):
    return psychometric_model


def test_trials_are_those_of_the_session(model, tmp_path):
    handler, plain = TrialHandler(Session(model, POOL), nTrials=6), Session(model, POOL)
    assert handler.thisTrialN == -1 and handler.intensity is None
    for trial, intensity in enumerate(handler):
        question = plain.ask()
        assert intensity == handler.intensity == handler.next() == question.design[0]
        assert handler.thisTrialN == trial
        handler.addResponse(intensity > 0)
        handler.addOtherData("rt", 0.1 * trial)
        plain.tell(question, intensity > 0)
    assert handler.finished and len(handler.data) == len(handler.intensities) == 6
    assert handler.session.posterior() == plain.posterior()
    handler.saveAsText(tmp_path / "log.csv")
    rows = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    assert len(rows) == 6 and float(rows[5]["rt"]) == 0.5
    assert "psychopy" not in sys.modules


def test_another_intensity_than_that_which_was_queried(model):
    handler = TrialHandler(Session(model, POOL), nTrials=2)
    handler.next()
    handler.addResponse(1, intensity=0.123)
    assert handler.intensities == [pytest.approx(0.123)] and handler.session.pending == ()


def test_it_stops_when_precise_enough(model):
    handler = TrialHandler(Session(model, POOL), stopInterval={"threshold": 100.0})
    assert list(handler) == [] and handler.finished


def test_a_mistake_is_a_sentence_and_changes_nothing(model):
    handler = TrialHandler(Session(model, POOL), nTrials=2)
    with pytest.raises(InputError, match="expected a trial that waits"):
        handler.addResponse(1)
    with pytest.raises(InputError, match="other data"):
        handler.addOtherData("rt", 1.0)
    shown = handler.next()
    with pytest.raises(InputError, match="outcome of numbers"):
        handler.addResponse("yes")
    assert handler.next() == shown and handler.intensities == []
    for wrong in (0, 2.5, "3"):
        with pytest.raises(InputError, match="nTrials"):
            TrialHandler(Session(model, POOL), nTrials=wrong)
