"""The door: a model against baselines as a DataFrame."""

import numpy as np
import pytest

import aline_tf
from aline_tf.errors import InputError
from aline_tf.experiments import known_likelihood
from aline_tf.tasks import LocationFinding

SIZES = {"runs": 2, "candidates": 30, "contrastive": 50}
COLUMNS = ["policy", "target", "step", "metric", "mean", "ci95", "n"]


def test_a_table_has_the_columns_and_steps_asked_for(tmp_path):
    table = aline_tf.evaluate(None, "location_finding", "random", steps=[3, 30], **SIZES)
    assert list(table.columns) == COLUMNS
    assert set(table["step"]) == {3, 30} and set(table["policy"]) == {"random"}
    assert set(table["n"]) == {2}
    again = aline_tf.evaluate(None, LocationFinding(), ["random"], steps=(30,), **SIZES)
    last = table[table["step"] == 30].reset_index(drop=True)
    assert again.drop(columns="policy").equals(last.drop(columns="policy"))


def test_figures_are_drawn_on_request(tmp_path):
    aline_tf.evaluate(None, "location_finding", "random", plots=tmp_path / "figures", **SIZES)
    drawn = {path.name for path in (tmp_path / "figures").glob("*.svg")}
    assert drawn == {"curves.svg", "queries.svg"}


def test_the_task_may_be_the_models_own():
    table = aline_tf.evaluate("psychometric", policies="learned", runs=2, targets="slope")
    assert {"rmse", "gap"} <= set(table["metric"]) and np.isfinite(table["mean"]).all()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"task": "juggling"}, "'juggling'"),
        ({"task": 3}, "received int"),
        ({}, "expected a task: .* received none"),
        ({"task": "ces", "policies": "psychic"}, "'psychic'"),
        ({"task": "ces", "tragets": ["rho"]}, "'tragets'"),
        ({"task": "ces", "steps": [11]}, "steps from 1 to 10; received 11"),
        ({"task": "ces", "plots": __file__}, "received the file"),
        ({"task": "ces", "runs": 0}, "received runs 0"),
        ({"task": "ces", "model": "psychometric"}, "received one of 'psychometric'"),
        ({"task": "migraine"}, "migraine evaluate"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(monkeypatch, arguments, complaint):
    def no_work(*_, **__):
        raise AssertionError("work was started")

    monkeypatch.setattr(known_likelihood, "information_results", no_work)
    with pytest.raises(InputError, match=complaint):
        aline_tf.evaluate(**arguments)
