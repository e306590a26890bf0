"""What to find out next: gains against brute force, the policy's part, the three that are shown."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from aline_tf import batch_ops
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.forecast.value_of_information import (
    ValuedCandidate,
    information,
    policy_ranks,
    predicted_outcomes,
    value_candidates,
    worth_asking,
)
from aline_tf.migraine.schema.candidates import LIBRARY, Candidate
from aline_tf.migraine.schema.channels import FIELDS

COST_WEIGHT = 0.001


@pytest.fixture(scope="module")
def found(model, evening):
    batch, candidates, _ = evening
    return value_candidates(model, batch, candidates, COST_WEIGHT)


def predicted(model, batch) -> np.ndarray:
    mean, _ = model.outcome_prediction(model(batch), batch).mean_sd()
    return mean.numpy()[0, :2].astype(float)


def entropy(*chances: float) -> float:
    return -sum(p * math.log(p) for p in chances if p > 0)


@pytest.mark.parametrize("candidate", [Candidate("prodrome", 0, 3), Candidate("stress", 0, 3)])
def test_gain_equals_brute_force(model, evening, candidate):
    history = evening[2]
    batch, _ = history_batch(history, candidates=[candidate])
    queried, _ = history_batch(
        history, candidates=[], targets=[(candidate.channel, candidate.days_ago, candidate.slot)]
    )
    prediction = model.outcome_prediction(model(queried), queried)
    levels = 2 if candidate.channel == "prodrome" else 11
    chance = [
        math.exp(float(prediction.log_prob(np.full([1, 1], y, np.float32))[0, 0]))
        for y in range(levels)
    ]
    after = []
    for y in range(levels):
        answered = {name: table.copy() for name, table in batch.items()}
        token = {
            "context_design": batch["candidate_design"],
            "context_outcome": np.zeros([1, 1, len(FIELDS)], np.float32),
            "context_status": np.zeros([1, 1, len(FIELDS)], np.int32),
            "context_mask": np.ones([1, 1], bool),
        }
        token["context_outcome"][0, 0, candidate.field] = y
        token["context_status"][0, 0, candidate.field] = 1
        for name, table in token.items():
            answered[name] = np.concatenate([answered[name], table], axis=1)
        after.append(predicted(model, answered))
    now = np.maximum.accumulate(predicted(model, batch))
    after = np.maximum.accumulate(np.array(after), axis=1)
    for column in range(2):

        def excess(shift, column=column):
            risks = 1 / (1 + np.exp(-(np.log(after[:, column] / (1 - after[:, column])) + shift)))
            return np.dot(chance, risks) - now[column]

        shift = brentq(excess, -20, 20, xtol=1e-12)
        odds = after[:, column] / (1 - after[:, column]) * math.exp(shift)
        after[:, column] = odds / (1 + odds)
    day, two_days = after[:, 0], np.maximum(after[:, 1], after[:, 0])
    mean_two = float(np.dot(chance, two_days))
    expected = entropy(now[0], mean_two - now[0], 1 - mean_two)
    for p, a, b in zip(chance, day, two_days, strict=True):
        expected -= p * entropy(a, b - a, 1 - b)
    (valued,) = value_candidates(model, batch, [candidate], COST_WEIGHT)
    assert valued.gain == pytest.approx(expected, abs=2e-6)
    assert valued.gain > 1e-5
    assert valued.value == pytest.approx(expected - COST_WEIGHT, abs=2e-6)
    assert sum(answer.probability for answer in valued.outcomes) == pytest.approx(1.0)


def test_no_gain_is_negative_and_most_are_not_zero(found):
    assert all(valued.gain >= 0.0 for valued in found)
    assert sum(valued.gain > 0.0 for valued in found) > len(found) / 2


def test_answers_average_to_the_present_risk(model, evening, found):
    now = np.maximum.accumulate(predicted(model, evening[0]))[0]
    for valued in found:
        mean = sum(answer.probability * answer.risk_24h for answer in valued.outcomes)
        assert mean == pytest.approx(now, abs=1e-6)


def test_an_answer_that_settles_the_matter_is_worth_all_the_uncertainty():
    risks = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    weights = np.array([0.2, 0.1, 0.7])
    assert information(risks, weights) == pytest.approx(entropy(0.2, 0.1, 0.7))


def test_an_answer_that_changes_nothing_is_worth_nothing():
    assert information(np.array([[0.2, 0.3]] * 4), np.full(4, 0.25)) == pytest.approx(0, abs=1e-12)


def test_every_candidate_is_judged_once_by_value(evening, found):
    assert {valued.candidate for valued in found} == set(evening[1])
    values = [valued.value for valued in found]
    assert values == sorted(values, reverse=True)
    assert sorted(valued.policy_rank for valued in found) == list(range(1, len(found) + 1))


def test_price_lowers_the_value_of_burden(model, evening, found):
    batch, candidates, _ = evening
    dear = {q.candidate: q for q in value_candidates(model, batch, candidates, 10 * COST_WEIGHT)}
    for valued in found:
        fall = valued.value - dear[valued.candidate].value
        assert fall == pytest.approx(9 * COST_WEIGHT * valued.cost)


def test_continuous_answers_are_quantiles_of_what_the_model_expects(model, evening):
    candidate = Candidate("resting_hr", 1)
    batch, _ = history_batch(evening[2], candidates=[candidate])
    (values, weights) = predicted_outcomes(model, batch, [candidate])[0]
    queried, _ = history_batch(evening[2], candidates=[], targets=[("resting_hr", 1, -1)])
    prediction = model.outcome_prediction(model(queried), queried)
    reached = [float(prediction.cdf(np.full([1, 1], v, np.float32))[0, 0]) for v in values]
    np.testing.assert_allclose(reached, np.cumsum(weights) - weights / 2, atol=1e-3)


def test_policy_without_an_opinion_leaves_the_choice_to_the_gains(model, evening, monkeypatch):
    batch, candidates, _ = evening
    flat = {"candidate_logits": np.zeros([1, len(candidates)], np.float32)}
    monkeypatch.setattr(batch_ops, "map_rows", lambda model, rows: flat)
    assert policy_ranks(model, batch)[1] is False
    flat["candidate_logits"][0, 3] = 5.0
    ranks, opinion = policy_ranks(model, batch)
    assert opinion and ranks[3] == 1


def test_nothing_to_ask_gives_no_questions(model, evening):
    batch, _ = history_batch(evening[2], candidates=[])
    assert value_candidates(model, batch, [], COST_WEIGHT) == []
    assert worth_asking([]) == []


def test_shown_questions_are_proposals_of_different_channels():
    def valued(index, value, proposed):
        return ValuedCandidate(LIBRARY[index], (), value, 1.0, value, index, proposed)

    names = [candidate.channel for candidate in LIBRARY]
    stress = [index for index, name in enumerate(names) if name == "stress"]
    pain, attack = names.index("pain"), names.index("attack")
    ordered = [
        valued(stress[0], 8.0, True),
        valued(stress[1], 7.0, True),
        valued(attack, 6.5, False),
        valued(pain, 6.0, True),
    ]
    shown = [q.candidate for q in worth_asking(ordered)]
    assert shown == [LIBRARY[stress[0]], LIBRARY[pain], LIBRARY[attack]]
    hidden = valued(names.index("caffeine"), 9.0, False)
    assert worth_asking([hidden, *ordered])[0] == hidden
    idle = valued(names.index("medication"), -0.5, True)
    shown = worth_asking([ordered[0], ordered[1], idle])
    assert shown == [ordered[0], ordered[1], idle]
