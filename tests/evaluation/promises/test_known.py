"""Known parameters: who ignores them shows no share of the shift, who is exact shows all of it."""

import pytest

from aline_tf.evaluation.promises import known
from tests.evaluation.promises.conftest import NODES, ForgetsKnown


def test_the_exact_posterior_moves_as_far_as_it_should(examined):
    figures = list(known.figures(examined()))
    assert [row.measured.split(":")[0] for row in figures[::2]] == list(
        examined().task.spec.parameter_names
    )
    for row in figures:
        assert row.figure == pytest.approx(1.0)
        assert row.holds
        assert row.ci95 == pytest.approx(0.0, abs=1e-9)


def test_a_model_that_ignores_what_is_known_moves_nothing(examined):
    for row in known.figures(examined(ForgetsKnown(**NODES))):
        assert row.figure == pytest.approx(0.0, abs=1e-9)
        assert not row.holds


def test_refined_answers_have_a_bar_of_their_own_and_fewer_runs(examined):
    exact = examined().exact
    figures = list(known.figures(examined(ForgetsKnown(**NODES), refined=exact, refined_runs=5)))
    refined = [row for row in figures if row.by == "refined"]
    assert len(refined) == len(figures) / 2
    assert {(row.low, row.runs, round(row.figure, 6)) for row in refined} == {(0.95, 5, 1.0)}
    assert not any(row.holds for row in figures if row.by == "model")
