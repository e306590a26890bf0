"""The study of fine-tuning: who learns from whom, who is scored, and shares that are shares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.migraine.evaluation.studies import fine_tuning
from aline_tf.migraine.evaluation.studies.fine_tuning import MODELS, FineTuned, study_text
from aline_tf.migraine.simulation.population import SHIFTED
from aline_tf.migraine.task.recorded import RecordedTask
from aline_tf.migraine.task.simulated import MigraineTask


def found(share, spread=0.0, seed=0):
    """Log scores of which fine-tuning closes a given share of the gap."""
    rng = np.random.default_rng(seed)
    before = rng.normal(-0.5, 0.1, (30, 4, 2))
    gap = 0.02 + spread * rng.normal(size=before.shape)
    scores = (before, before + share * gap, before + gap)
    return FineTuned(dict(zip(MODELS, scores, strict=True)), 2000, 60.0)


@settings(max_examples=20, deadline=None)
@given(st.floats(-2.0, 2.0), st.sampled_from([(24,), (48,), (24, 48)]))
def test_the_share_of_the_gap_is_found(share, hours):
    np.testing.assert_allclose(found(share).share_recovered(hours), [share] * 3, atol=1e-9)


def test_the_interval_is_as_wide_as_people_differ():
    share, low, high = found(0.7, spread=0.02).share_recovered()
    np.testing.assert_allclose([share, low, high], 0.7)  # of each person alike
    mixed = found(0.7, spread=0.02)
    mixed.log_scores[MODELS[1]] += np.random.default_rng(1).normal(0, 0.01, (30, 1, 1))
    share, low, high = mixed.share_recovered()
    assert low < share < high and 0.02 < high - low < 2.0


def test_a_gap_that_is_not_there_has_no_share():
    none = found(0.5)
    none.log_scores[MODELS[2]] = none.log_scores[MODELS[0]] - 0.001
    assert np.isnan(none.share_recovered()).all()
    assert "no gap to close" in study_text(none)


def test_the_table_says_every_figure():
    text = study_text(found(0.6))
    for words in (*MODELS, "12.00", "20.00", "60% (60 to 60%)", "over 30 people"):
        assert words in text, words


def test_each_model_learns_from_its_own_and_all_forecast_the_same_others(model, monkeypatch):
    learned, scored = [], []

    def fine_tune(trained, task, **settings):
        learned.append((trained, task, settings))

    def evening_scores(judged, cohort):
        scored.append(cohort)
        return np.full([cohort.people, 2, 2], -0.5 + 0.01 * len(scored))

    monkeypatch.setattr(fine_tuning, "fine_tune", fine_tune)
    monkeypatch.setattr(fine_tuning, "evening_scores", evening_scores)
    outcome = fine_tuning.fine_tuning_study(
        lambda: model, people=5, seed=3, recorded=4, reference_steps=7
    )
    (_, own, own_settings), (_, simulated, reference) = learned
    assert isinstance(own, RecordedTask) and outcome.evenings == len(own.evenings) > 0
    assert set(own.evenings[:, 0]) <= set(range(4))
    assert isinstance(simulated, MigraineTask) and simulated.settings == SHIFTED
    assert reference["steps"] == 7 and reference["weights"] == "all"
    assert "weights" not in own_settings and "steps" not in own_settings  # those of the command
    assert len({id(cohort) for cohort in scored}) == 1 and scored[0].people == 5
    assert list(outcome.log_scores) == list(MODELS)
    assert outcome.share_recovered()[0] == pytest.approx(0.5)


def test_evenings_are_scored_by_what_followed(model, monkeypatch):
    cohort = fine_tuning.sample_cohort(2, 6, 20, 12)
    monkeypatch.setattr(fine_tuning, "attack_probabilities", lambda *_: np.full([6, 2], 0.25))
    monkeypatch.setattr(fine_tuning, "EVENINGS", 3)
    scores = fine_tuning.evening_scores(model, cohort)
    followed = np.stack([cohort.followed(day) for day in (12, 15, 18)], axis=1)
    np.testing.assert_allclose(scores, np.log(np.where(followed, 0.25, 0.75)))
