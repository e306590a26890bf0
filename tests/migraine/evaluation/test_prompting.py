"""Weeks of a few questions an evening: who is asked what, and what it is worth."""

import numpy as np
import pytest

from aline_tf.batch import MISSING
from aline_tf.migraine.evaluation import prompting
from aline_tf.migraine.evaluation.burden_plots import draw_prompting
from aline_tf.migraine.schema.channels import FIELD_NAMES, PASSIVE_NAMES, SPOT_READING
from aline_tf.migraine.schema.spec import SPEC
from aline_tf.migraine.simulation.cohort import sample_cohort

PEOPLE, FIRST = 6, len(PASSIVE_NAMES)
#: Reports that a run-in asks for every day.
ROUTINE = [i for i, name in enumerate(FIELD_NAMES) if i >= FIRST and name != SPOT_READING]


@pytest.fixture(scope="module")
def cohort():
    return sample_cohort(3, PEOPLE, prompting.RUN_IN + 3, prompting.RUN_IN)


@pytest.fixture
def people(cohort, monkeypatch):
    monkeypatch.setattr(prompting, "EVENINGS", 3)
    return cohort


def test_every_policy_spends_its_prompts_on_what_is_not_known(compiled_model, people):
    evenings = prompting.study_evenings(people)
    assert [evening.known_days for evening in evenings] == [15, 16, 17]
    status = evenings[-1].status
    assert (status[:, : prompting.RUN_IN, ROUTINE] != MISSING).all()
    assert (status[:, prompting.RUN_IN :, FIRST:] == MISSING).all()
    for policy in prompting.STUDIED:
        made = prompting._follow(compiled_model, people, evenings, policy, 2, 0)
        assert made["log_prob"].shape == (PEOPLE, 2) and (made["log_prob"] < 0.0).all()
        assert ((made["warnings"] >= 0.0) & (made["warnings"] <= 1.0)).all()
        assert (
            (made["prompts"] <= 2.0) if policy in prompting.COST_WEIGHTS else made["prompts"] == 2
        ).all()


def test_a_higher_price_leaves_fewer_prompts(compiled_model, people, monkeypatch):
    evenings, used = prompting.study_evenings(people), []
    for cost_weight in (-1.0, 0.02, 10.0):
        monkeypatch.setattr(prompting, "_MEASURED", {"for a price": {"cost_weight": cost_weight}})
        made = prompting._follow(compiled_model, people, evenings, "for a price", 2, 0)
        used.append(made["prompts"].mean())
    assert used[0] == 2.0 >= used[1] >= used[2] == 0.0
    assert (made["warnings"] == 0.0).all()


def test_uncertainty_asks_for_the_answer_with_most_of_its_spread_unexplained(
    compiled_model, people
):
    evening = prompting.study_evenings(people)[0]
    run = prompting.PromptingRun(people, "uncertainty", np.random.default_rng(0))
    days = evening.known_days - 1 - prompting._DAYS_AGO
    left = run.records(evening)[1][:, days, prompting._FIELD] == MISSING
    batch = prompting._with_prompts(people, evening.known_days, run.records(evening), left, None)
    unexplained = run._unexplained(compiled_model, batch)
    assert unexplained.shape == left.shape and (unexplained > 0.0).all()
    assert unexplained.mean() < 1.5, "in units of the spread over people and days"
    run.prompt(compiled_model, evening)
    after = run.records(evening)[1]
    for row, position in enumerate(np.where(left, unexplained, -1.0).argmax(axis=1)):
        assert after[row, days[position], prompting._FIELD[position]] != MISSING


def test_the_diary_asks_about_attack_and_pain_before_warning_signs(compiled_model, people):
    evenings = prompting.study_evenings(people)
    few = prompting._follow(compiled_model, people, evenings, "evening diary", 3, 0)["warnings"]
    more = prompting._follow(compiled_model, people, evenings, "evening diary", 4, 0)["warnings"]
    assert (few == 0.0).all() and np.allclose(more, 0.25)


def test_a_policy_that_scores_warnings_highest_asks_about_them_first(
    compiled_model, people, monkeypatch
):
    evenings = prompting.study_evenings(people)

    def call(model, batch):
        is_warning = batch["candidate_design"][..., -len(SPEC.outcomes) :].argmax(-1)
        warning = [channel.name for channel in SPEC.outcomes].index("prodrome")
        return {"candidate_logits": (is_warning == warning).astype(float)}

    monkeypatch.setattr(prompting.batch_ops, "map_rows", call)
    monkeypatch.setattr(
        prompting, "attack_probabilities", lambda model, batch: np.full([PEOPLE, 2], 0.25)
    )
    made = prompting._follow(compiled_model, people, evenings, "aline", 2, 0)
    assert (made["warnings"] == 1.0).all()
    followed = np.stack([evening.followed for evening in evenings])
    expected = np.where(followed > 0.5, np.log(0.25), np.log(0.75)).mean(axis=0)
    np.testing.assert_allclose(made["log_prob"], expected)


def test_prompts_needed_for_a_score():
    curve = [-0.50, -0.46, -0.44, -0.43, -0.43, -0.42, -0.42]
    assert prompting.prompts_needed(curve, -0.45) == pytest.approx(1.5)
    assert prompting.prompts_needed(curve, -0.425) == pytest.approx(4.5)
    assert prompting.prompts_needed(curve, -0.40) == 6.0, "never reached: the most that was tried"
    assert prompting.prompts_needed(curve, -0.60) == 0.0


def test_rows_say_what_was_saved_and_who_was_asked():
    feels = np.array([True, False, False])
    scores = dict(zip(prompting.COMPARED, (-0.6, -0.5, -0.4, -0.35, -0.3, -0.3, -0.2), strict=True))

    def result(score, warnings=0.0, prompts=0):
        return {
            "log_prob": np.full([3, 2], score),
            "prompts": np.full(3, float(prompts)),
            "warnings": np.where(feels, 2.0, 1.0) * warnings,
        }

    study = {("aline", 1): result(-0.4, 0.2, 1), ("aline", 2): result(-0.3, 0.1, 2)}
    study["aline", 3] = result(-0.25, prompts=3)
    study["aline, looking ahead", 1] = result(-0.5, 0.3, 1)
    priced = next(iter(prompting.COST_WEIGHTS))
    study[priced, 3] = result(-0.35, prompts=1.2)
    for policy in ("random", "evening diary"):
        study |= {(policy, budget): result(score) for budget, score in scores.items()}
    rows = prompting.prompting_rows(study, feels)
    found = {(row.policy, row.target, row.step, row.metric): row.mean for row in rows}
    saved = found["random", "prompting: attack_24h | aline", 1, "prompts_saved"]
    assert saved == pytest.approx(0.5)
    saved = found["evening diary", "prompting: attack_48h | aline", 2, "prompts_saved"]
    assert saved == pytest.approx(0.5)
    ahead = "prompting: attack_24h | aline, looking ahead"
    assert found["random", ahead, 1, "prompts_saved"] == pytest.approx(0.0)
    spared = found["evening diary", f"prompting: attack_24h | {priced}", 3, "prompts_saved"]
    assert spared == pytest.approx(0.6), "1.2 prompts where the diary takes 3"
    whole = "prompting: attack_24h | aline, for the score of the whole diary"
    saved = found["evening diary", whole, 5, "prompts_saved"]
    assert saved == pytest.approx(0.6), "2 prompts where the diary takes 5"
    assert found[priced, "prompting", 3, "prompts"] == pytest.approx(1.2)
    group = "prompting | feels attacks coming: "
    assert found["aline", group + "yes", 1, "warning_share"] == pytest.approx(0.4)
    assert found["aline", group + "no", 1, "warning_share"] == pytest.approx(0.2)
    assert found["aline, looking ahead", group + "yes", 1, "warning_share"] == pytest.approx(0.6)


def test_the_plot_has_a_curve_for_every_policy_and_each_group():
    feels = np.array([True, False, False])
    result = {"log_prob": np.full([3, 2], -0.4), "warnings": np.array([0.5, 0.1, 0.3])}
    result["prompts"] = np.full(3, 1.5)
    study = {("aline", budget): result for budget in prompting.BUDGETS}
    study |= {(policy, 3): result for policy in prompting.COST_WEIGHTS}
    for policy in ("random", "evening diary"):
        study |= {(policy, budget): result for budget in prompting.COMPARED}
    figure = draw_prompting(prompting.prompting_rows(study, feels))
    scores, _, shares = figure.axes[:3]
    assert [len(line.get_xdata()) for line in scores.lines] == [4, 1, 1, 7, 7]
    assert scores.lines[1].get_xdata() == 1.5, "what was spent"
    assert [len(line.get_xdata()) for line in shares.lines] == [4, 4, 1, 1, 1, 1, 6, 6, 6, 6]
    np.testing.assert_allclose(shares.lines[0].get_ydata(), 0.5)
    np.testing.assert_allclose(shares.lines[1].get_ydata(), 0.2)
