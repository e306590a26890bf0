"""Plans: gains are what they say, sets keep to their budget, and nothing dear stays that adds
hardly anything."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.migraine.commands import plan as plan_command
from aline_tf.migraine.forecast.plan import (
    SPARED,
    Gain,
    Option,
    Plan,
    Scores,
    make_plan,
    options,
    recommended,
)
from aline_tf.migraine.forecast.plan import TWINS as PLANNED_ON
from aline_tf.migraine.forecast.twins import AHEAD, live_twins
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.schema.channels import FIELDS, places
from aline_tf.migraine.schema.designs import CAPACITY

TWINS = 8


@pytest.fixture(scope="module")
def history(example):
    return day_history(example, example.evening(), CAPACITY)


@pytest.fixture(scope="module")
def twins(model, history):
    return live_twins(model, history, TWINS, seed=3)


@pytest.fixture(scope="module")
def scores(compiled_model, twins):
    return Scores(compiled_model, twins, (1, 9))


def test_everything_that_can_be_recorded_is_an_option_once():
    fields = sorted(field for option in options() for field in option.fields)
    assert fields == list(range(len(FIELDS)))
    assert len({option.label for option in options()}) == len(options())
    for option in options():
        assert option.cost == pytest.approx(sum(FIELDS[f].cost for f in option.fields))


def test_twins_recorded_what_the_person_did_and_their_days_follow_today(history, twins):
    own = history.status
    assert ((twins.past == own[None]) | (twins.past == 0)).all()
    assert (twins.weekday[0] - history.dates[-1].weekday()) % 7 == 1
    assert twins.chance.shape == (TWINS, AHEAD, 2)
    assert (twins.chance[:, :, 0] <= twins.chance[:, :, 1] + 1e-6).all()


@pytest.mark.parametrize("evening", [0, 6, 13])
def test_a_twin_is_seen_through_the_chosen_fields_alone(twins, evening):
    stress = places("stress")
    batch = twins.batch(evening, stress)
    age = np.round(batch["context_design"][0, :, 0] * CAPACITY).astype(int)
    ahead = batch["context_status"][:, age <= evening]
    others = np.delete(np.arange(len(FIELDS)), stress)
    assert (ahead[:, :, others] == 0).all()
    assert (ahead[:, :, stress] != 0).any()
    nothing = twins.batch(evening, ())
    assert (np.round(nothing["context_design"][0, :, 0] * CAPACITY) > evening).all()


def test_what_is_known_of_an_evening_does_not_depend_on_the_days_after_it(twins):
    """The same twins with other days to come after the evening have the same batch."""
    import dataclasses

    value, tried = twins.value.copy(), twins.tried.copy()
    value[:, CAPACITY + 4 :], tried[:, CAPACITY + 4 :] = 3.0, 2
    other = dataclasses.replace(twins, value=value, tried=tried)
    for name, table in twins.batch(3, places("stress")).items():
        np.testing.assert_array_equal(table, other.batch(3, places("stress"))[name])


def test_a_gain_is_the_difference_of_expected_scores(compiled_model, twins, scores):
    from aline_tf.migraine.forecast.forecast import attack_probabilities

    option = Option("pain", (places("pain")[3],), 1.0, "question", 3)
    (gain,) = scores([[option]])
    expected = []
    for fields in (option.fields, ()):
        total = 0.0
        for turn, evening in ((slice(0, None, 2), 1), (slice(1, None, 2), 9)):
            q = attack_probabilities(compiled_model, twins.batch(evening, fields))[turn, 0]
            p = twins.chance[turn, evening, 0]
            total += np.mean(p * np.log(q) + (1 - p) * np.log(1 - q)) / 2
        expected.append(total)
    assert gain.log_score == pytest.approx(expected[0] - expected[1], abs=1e-5)
    assert scores.nothing()[0] == pytest.approx(expected[1], abs=1e-5)
    assert gain.cost == 1.0 and 0.0 < gain.answered < 1.0


def test_twins_are_as_many_as_evenings_at_least(compiled_model, twins):
    with pytest.raises(ValueError, match="at least a twin an evening"):
        Scores(compiled_model, twins.some(slice(0, 2)), (1, 5, 9))


def test_people_of_any_number_are_simulated_in_one_process(model, history):
    for count in (3, 2, 4):
        assert len(live_twins(model, history, count, seed=1)) == count


def test_the_command_plans_on_as_many_twins_as_were_measured():
    assert plan_command.TWINS == PLANNED_ON


def test_nothing_gains_nothing(scores):
    (gain,) = scores([[]])
    assert (gain.log_score, gain.brier, gain.cost) == (0.0, 0.0, 0.0)


class Additive:
    """Scores whose gains are sums of worths, less a share that options have in common."""

    def __init__(self, worth, common=0.0):
        self._worth, self._common = worth, common

    def __call__(self, sets):
        found = []
        for chosen in map(tuple, sets):
            total = sum(self._worth[option] for option in chosen)
            gain = total - self._common * max(len(chosen) - 1, 0)
            found.append(Gain(chosen, gain, 0.0, 0.0, round(sum(o.cost for o in chosen), 6), 1.0))
        return found


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.0, 1.0), st.sampled_from([0.02, 0.3, 1.0])), min_size=1, max_size=6
    ),
    st.floats(0.1, 4.0),
    st.floats(0.0, 0.1),
)
def test_the_recommended_set_keeps_to_its_budget_and_is_near_the_best(parts, budget, common):
    offered = [Option(f"c{n}", (n,), cost, "phone") for n, (_, cost) in enumerate(parts)]
    scores = Additive(dict(zip(offered, (worth for worth, _ in parts), strict=True)), common)
    found = recommended(scores, budget, offered)
    assert found.cost <= budget + 1e-9
    subsets = [c for n in range(len(offered) + 1) for c in combinations(offered, n)]
    best = max(g.log_score for g in scores(subsets) if g.cost <= budget + 1e-9)
    assert found.log_score >= 0.5 * best - 1e-9
    # Whatever is left out further costs more than is spared.
    for left in found.options:
        (less,) = scores([[o for o in found.options if o != left]])
        assert less.log_score < found.log_score or less.cost >= found.cost


def test_what_hardly_adds_is_spared():
    dear, cheap = Option("a", (0,), 1.0, "phone"), Option("b", (1,), 1.0, "phone")
    scores = Additive({dear: 1.0, cheap: 0.5 * SPARED})
    assert recommended(scores, 2.0, [dear, cheap]).options == (dear,)


def test_a_plan_says_what_each_part_adds_and_when_to_ask(scores):
    some = [o for o in options() if o.channel in ("pain", "ln_rmssd", "resting_hr", "alcohol")]
    plan = make_plan(scores, 2.0, some)
    assert isinstance(plan, Plan)
    assert len(plan.alone) == len(some) and set(plan.devices) == {"watch"}
    gains = [gain.log_score for gain in plan.alone]
    assert gains == sorted(gains, reverse=True)
    assert len(plan.without) == len(plan.chosen.options)
    assert {slot: len(part) for slot, part in plan.by_slot().items()} == dict.fromkeys(range(4), 1)
    assert plan.chosen.cost <= 2.0
