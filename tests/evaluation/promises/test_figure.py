"""Rows of the table of promises: bars, JSON, text."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.evaluation.promises import PromiseFigure
from aline_tf.evaluation.promises.figure import (
    format_table,
    over_runs,
    read_json,
    verdict,
    write_json,
)

BOUNDS = st.none() | st.floats(-2, 2)


@settings(deadline=None, derandomize=True)
@given(figure=st.floats(-3, 3), low=BOUNDS, high=BOUNDS)
def test_a_figure_holds_between_its_bars(figure, low, high):
    row = PromiseFigure("known", "slope", "model", figure, low, high)
    if low is None and high is None:
        assert row.holds is None
        assert row.bar == ""
    else:
        above = low is None or figure >= low
        assert row.holds == (above and (high is None or figure <= high))
    assert PromiseFigure.from_dict(json.loads(json.dumps(row.to_dict()))).holds == row.holds


def test_what_could_not_be_computed_holds_no_bar_and_is_null():
    row = PromiseFigure("known", "slope", "model", math.nan, 0.8)
    assert row.holds is False
    assert row.to_dict()["figure"] is None
    assert math.isnan(PromiseFigure.from_dict(row.to_dict()).figure)
    assert "  -  " in format_table([row])


def test_a_table_survives_its_file(tmp_path):
    rows = [
        PromiseFigure("known", "slope", "model", 0.5, 0.8, None, 0.1, 300),
        PromiseFigure("targets", "0", "random", 2e-5, runs=9),
    ]
    write_json(tmp_path / "table.json", {"task": "psychometric"}, rows)
    header, found = read_json(tmp_path / "table.json")
    assert header == {"task": "psychometric"}
    assert found[0] == rows[0]
    text = format_table(found)
    assert "0.500 +- 0.100  >= 0.8  no     300" in text
    assert "2.0e-05" in text
    assert verdict(found) == "0 of 1 figures hold"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"promises": [{}]}', '{"promises": 3}'])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "table.json").write_text(text)
    with pytest.raises(InputError, match="expected a table of promises"):
        read_json(tmp_path / "table.json")


def test_the_interval_of_a_mean_is_the_usual_one():
    values = np.random.default_rng(0).normal(size=400)
    figure, ci95 = over_runs(np.mean, values)
    assert figure == pytest.approx(values.mean())
    assert ci95 == pytest.approx(1.96 * values.std() / 20, rel=0.2)
    assert math.isnan(over_runs(np.mean, values[:1])[1])
