"""Words: whole sentences that say what the numbers say."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from aline_tf.migraine.forecast import wording
from aline_tf.migraine.forecast.attribution import Attribution
from aline_tf.migraine.forecast.backtest import BacktestScore
from aline_tf.migraine.forecast.triggers import TriggerPosterior
from aline_tf.migraine.forecast.value_of_information import PredictedOutcome, ValuedCandidate
from aline_tf.migraine.schema.candidates import LIBRARY, Candidate
from aline_tf.migraine.schema.channels import CHANNELS, FIELD_INDEX, FIELD_NAMES
from aline_tf.migraine.schema.parameters import TRIGGERS


def valued(candidate, *answers):
    answers = tuple(PredictedOutcome(*answer) for answer in answers)
    return ValuedCandidate(candidate, answers, 0.01, candidate.cost, 0.0, 1, True)


def history(field=None, days_ago=0):
    status = np.zeros([10, len(FIELD_NAMES)], int)
    if field:
        status[-1 - days_ago, FIELD_INDEX[field]] = 1
    return SimpleNamespace(status=status)


def test_yes_or_no_question():
    candidate_value = valued(Candidate("prodrome", 0, 3), (0.0, 0.8, 0.09), (1.0, 0.2, 0.31))
    assert wording.reason(candidate_value, 0.12, history("prodrome_1", 5)) == (
        "If yes, the 24 h risk would rise from 12% to 31%; if no, it would fall to 9%"
        " (last answered 5 days ago)."
    )


def test_number_is_told_at_its_tenth_and_ninetieth_percentile():
    answers = [(np.log(30 + 5 * k), 0.1, 0.3 - 0.02 * k) for k in range(10)]
    candidate_value = valued(Candidate("ln_rmssd", 0), *answers)
    assert wording.reason(candidate_value, 0.21, history()) == (
        "At 70 ms, the 24 h risk would fall from 21% to 14%; at 30 ms, it would rise to 30%"
        " (not read in the last 10 days)."
    )


def test_answer_that_changes_nothing_is_not_dressed_up():
    candidate_value = valued(Candidate("attack", 1, 2), (0.0, 0.5, 0.121), (1.0, 0.5, 0.119))
    assert wording.reason(candidate_value, 0.12, history("attack_2", 1)) == (
        "Whatever the answer, the 24 h risk would stay near 12% (last answered yesterday)."
    )


def test_one_sided_change():
    candidate_value = valued(Candidate("attack", 0, 3), (0.0, 0.9, 0.119), (1.0, 0.1, 0.4))
    assert "if no, it would stay near 12%" in wording.reason(candidate_value, 0.12, history())


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_every_channel_has_a_way_to_be_told(channel):
    assert wording.value_text(channel.name, channel.loc)
    for days_ago in range(3):
        text = wording.observation(Attribution(channel.name, days_ago, channel.loc, 0.1))
        assert wording.value_text(channel.name, channel.loc) in text


def test_observations_and_changes_are_told():
    text = wording.observation(Attribution("stress", 1, 8.0, 0.03))
    assert text == "Stress yesterday (up to 8 out of 10)"
    assert wording.observation(Attribution("prodrome", 0, None, 0.0)).endswith("(not answered)")
    assert wording.points(0.0321) == "+3.2 points"
    assert wording.points(-0.0321) == "\u22123.2 points"


@pytest.mark.parametrize("candidate", LIBRARY, ids=lambda candidate: candidate.label)
def test_every_candidate_gets_one_sentence(candidate):
    candidate_value = valued(candidate, (0.0, 0.5, 0.05), (1.0, 0.5, 0.2))
    sentence = wording.reason(candidate_value, 0.12, history())
    assert sentence[0].isupper() and sentence.endswith(").") and sentence.count(". ") == 0


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.name)
def test_every_trigger_has_a_title_and_a_unit(trigger):
    assert wording.trigger_title(trigger.name) and wording.trigger_unit(trigger.name)


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.0, "under 1%"), (0.009, "under 1%"), (0.124, "12%"), (0.995, "over 99%"), (1, "over 99%")],
)
def test_no_forecast_is_certain(probability, text):
    assert wording.percent(probability) == text


def test_worth_says_when_the_burden_is_greater():
    candidate_value = valued(Candidate("stress", 0, 3))
    assert (
        wording.worth(replace(candidate_value, value=0.009))
        == "expected gain 10.0 millinats, cost 1 prompt"
    )
    assert wording.worth(replace(candidate_value, value=-0.001)).endswith(
        "less than its burden is worth"
    )


def test_interval_is_told_with_both_ends():
    assert wording.percent_range(0.084, 0.231) == "8% to 23%"
    assert wording.percent_range(0.1702, 0.1741) == "17.0% to 17.4%"
    assert wording.percent_range(0.001, 0.2) == "under 1% to 20%"
    assert wording.percent_range(0.992, 0.999) == "over 99% to over 99%"


def test_track_record_needs_enough_evenings():
    assert "None of these forecasts can be checked" in wording.track_record(None)
    assert "too few" in wording.track_record(BacktestScore(12, 3, 0.2, 0.2))
    text = wording.track_record(BacktestScore(50, 10, 0.15, 0.16))
    assert "0.150" in text and "below the 0.160" in text and "skill from luck" in text
    assert "not below" in wording.track_record(BacktestScore(50, 10, 0.17, 0.16))


def test_a_trigger_no_likelier_than_among_all_people_is_not_named():
    def posterior(name, probability):
        return TriggerPosterior(name, probability, 1.8, 1.0, 3.5, 0.2, 80)

    usual = [posterior("alcohol", 0.36), posterior("menstrual", 0.40)]
    assert wording.strongest_trigger(usual) == "No trigger stands out from your records yet."
    text = wording.strongest_trigger([*usual, posterior("missed_meal", 0.7)])
    assert text == "Strongest trigger: missed meal (70% likely to be yours)."


def test_a_change_that_rounding_makes_is_none():
    """Both answers cannot raise a risk that is their mean."""
    likely = valued(Candidate("attack", 0, 3), (0.0, 0.5, 0.0951), (1.0, 0.5, 0.0951))
    said = wording.reason(likely, 0.0949, history())
    assert said.startswith("Whatever the answer, the 24 h risk would stay near 9% (not answered")


def test_a_rare_answer_that_moves_the_risk_is_not_passed_over():
    rare = valued(Candidate("pain", 0, 3), (0.0, 0.95, 0.1), (8.0, 0.05, 0.5))
    said = wording.reason(rare, 0.1, history())
    assert said.startswith("With most answers, the 24 h risk would stay near 10%")
    moved = valued(Candidate("pain", 0, 3), (0.0, 0.95, 0.05), (8.0, 0.05, 0.5))
    said = wording.reason(moved, 0.1, history())
    assert said.startswith(
        "At 0 out of 10, the likeliest answer, the 24 h risk would fall from 10%"
    )
