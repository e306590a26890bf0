"""The interview: what is asked, what an answer moves, and when it stops."""

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pytest

from aline_tf.batch import NO_ANSWER, OBSERVED
from aline_tf.migraine.interview.answers import Answer, answers_timeline
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.schema.candidates import LOOK_UPS, Candidate

STRESS = Candidate("stress", 0, 3)
PRESSURE = Candidate("pressure_change", 0)


class Person:
    """Types prepared lines, and remembers what was shown."""

    def __init__(self, *lines):
        self.lines, self.shown = list(lines), []

    def read(self, prompt):
        self.shown.append(prompt)
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)

    def write(self, line):
        self.shown.append(line)

    @property
    def text(self):
        return "\n".join(self.shown)


@pytest.fixture
def session(model, evening):
    """Hold an interview with a person who types some lines."""
    from aline_tf.migraine.interview.interview import Interview

    def _session(*lines, cost_weight=0.0, budget=3, history=evening[2]):
        person = Person(*lines)
        interview = Interview(model, history, cost_weight, budget, 0, person.read, person.write)
        interview.run()
        return interview, person

    return _session


def test_only_what_a_person_can_answer_is_asked(evening):
    from aline_tf.migraine.interview.interview import answerable

    pool = answerable(evening[2])
    assert pool == [c for c in evening[1] if c.is_prompt or c.channel in LOOK_UPS]
    assert 20 < len(pool) < len(evening[1])


def test_what_is_known_is_not_asked_and_nothing_is_asked_twice(session, evening):
    history = evening[2]
    status = np.where(history.status == 0, OBSERVED, history.status)
    status[-1, [STRESS.field, PRESSURE.field]] = 0
    _, person = session("s", "s", "s", history=dataclasses.replace(history, status=status))
    titles = {line.split(": ")[0] for line in person.shown if "expected gain" in line}
    assert {title.split(". ")[1] for title in titles} == {STRESS.label, PRESSURE.label}
    assert "Everything that you could be asked this evening is known already." in person.text
    assert person.lines == ["s"]


def test_the_question_is_the_one_most_worth_asking(session, model, evening):
    from aline_tf.migraine.forecast.person_batch import history_batch
    from aline_tf.migraine.forecast.value_of_information import value_candidates, worth_asking
    from aline_tf.migraine.forecast.wording import reason, worth

    _, person = session()
    pool = [c for c in evening[1] if c.is_prompt or c.channel in LOOK_UPS]
    batch, _ = history_batch(evening[2], pool)
    (best,) = worth_asking(value_candidates(model, batch, pool, 0.0), 1)
    assert f"1. {best.candidate.label}: {worth(best)}" in person.text
    interview, _ = session("q")
    assert reason(best, interview.risks[0].probability, evening[2]) in person.text


def test_an_answer_is_one_more_token_and_moves_the_risk(model, evening):
    from aline_tf import batch_ops
    from aline_tf.migraine.forecast.forecast import attack_risks
    from aline_tf.migraine.interview.interview import with_answer

    batch, candidates, history = evening
    with_stress = with_answer(batch, Answer(STRESS, 9.0), history)
    design = batch["candidate_design"][:, candidates.index(STRESS)]
    token = batch_ops.one_field([STRESS.field], [9.0], batch["context_status"].shape[2])
    by_hand = batch_ops.append(batch, design, *token)
    for name in by_hand:
        np.testing.assert_array_equal(with_stress[name], by_hand[name])
    silent = with_answer(batch, Answer(STRESS, None), history)
    assert silent["context_status"][0, -1, STRESS.field] == NO_ANSWER
    assert silent["context_status"][0, -1].sum() == NO_ANSWER
    assert not silent["context_outcome"][0, -1].any()
    before, after = (attack_risks(model, b)[0][0].probability for b in (batch, with_stress))
    assert before != after


def test_the_session_shows_how_the_risk_moves_until_the_budget_is_spent(session):
    from aline_tf.migraine.forecast.wording import percent

    first, _ = session("q")
    start = percent(first.risks[0].probability)
    interview, person = session("1", "", "1", "1", budget=2)
    assert f"within 24 h: {start}" in person.text
    assert f"24 h: {start} -> " in person.text and "points" in person.text
    prompts = [a for a in interview.answers if a.candidate.is_prompt]
    assert len(prompts) == interview.prompts == 2
    assert "The budget of 2 prompts is spent." in person.text
    end = percent(interview.risks[0].probability)
    assert f"-> {end} (" in person.shown[-2]


def test_what_cannot_be_read_is_asked_again_and_changes_nothing(session):
    once, _ = session("1", "q")
    twice, person = session("perhaps", "1", "q")
    assert twice.answers == once.answers and twice.risks == once.risks
    assert "received 'perhaps' (Enter = no answer, s = skip it, q = stop)" in person.text


def test_no_answer_is_known_as_such_and_a_skipped_question_is_not(session, evening):
    silent, _ = session("", "q")
    (answer,) = silent.answers
    assert answer.value is None
    place = len(evening[2].dates) - 1 - answer.candidate.days_ago, answer.candidate.field
    assert evening[2].status[place] == 0 and silent.history.status[place] == NO_ANSWER
    skipped, person = session("s", "q")
    assert skipped.answers == [] and skipped.prompts == 0
    titles = [line for line in person.shown if "expected gain" in line]
    assert len(titles) == 2 and titles[0].split(":")[0] != titles[1].split(":")[0]
    np.testing.assert_array_equal(skipped.history.status, evening[2].status)


@pytest.mark.parametrize("lines", [("q",), ("QUIT",), ()])
def test_it_stops_when_told_to_or_when_there_is_no_more_to_read(session, lines):
    interview, person = session(*lines)
    assert interview.answers == []
    assert person.shown[-1] == "\nStopped."


def test_nothing_is_asked_that_is_not_worth_its_burden(session):
    interview, person = session("1", cost_weight=10.0)
    assert interview.answers == [] and person.lines == ["1"]
    assert "Nothing is worth its burden this evening at 10000.0 millinats" in person.text
    assert "less than its burden is worth" in person.text


def test_the_days_hold_the_answers(session, evening):
    interview, _ = session("1", "1", "", "q", budget=5)
    now = evening[2].now
    assert len(interview.answers) == 3
    alone = day_history(answers_timeline(interview.answers, now), now, len(evening[2].dates))
    expected_status = np.where(alone.status != 0, alone.status, evening[2].status)
    np.testing.assert_array_equal(interview.history.status, expected_status)
    expected_values = np.where(alone.status != 0, alone.values, evening[2].values)
    np.testing.assert_array_equal(interview.history.values, expected_values)


def test_it_starts_from_nothing(session):
    now = datetime(2025, 4, 17, 20, tzinfo=UTC)
    interview, person = session("1", "q", history=day_history(Timeline.empty(), now, 112))
    assert len(interview.answers) == 1
    assert "(not answered in the last" in person.text or "(not read in the last" in person.text
