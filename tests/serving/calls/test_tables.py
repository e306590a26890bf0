"""Requests from tables, and answers as tables."""

import numpy as np
import pandas as pd
import pytest

from aline_tf.errors import InputError
from aline_tf.models.packaged_presets import preset_spec
from aline_tf.serving.calls.tables import answer_tables, batch_of_tables
from aline_tf.serving.client import Client
from tests.serving.conftest import tiny_spec

SPEC = tiny_spec()


def designs(x):
    first = np.arange(len(x)) % 2
    return pd.DataFrame({"is_second": 1 - first, "x": x, "is_first": first})


def history():
    table = designs([0.5, -1.0, 1.5]).assign(first=[0.3, np.nan, np.nan], second=[1.0, 0.0, np.nan])
    return table.assign(answered=[True, True, False], note=["a", "b", "c"])


def test_a_batch_has_what_the_tables_have_by_name():
    batch = batch_of_tables(
        SPEC,
        history(),
        candidates=designs([0.1, 0.2]),
        targets=designs([1.0]),
        known={"anywhere": 2.0},
        parameters="maybe",
    )
    np.testing.assert_array_equal(batch["context_design"][0, :, 0], np.float32([0.5, -1.0, 1.5]))
    np.testing.assert_array_equal(batch["context_design"][0, :, 2], [1, 0, 1])
    np.testing.assert_array_equal(batch["context_status"], [[[1, 1], [0, 1], [2, 2]]])
    np.testing.assert_allclose(batch["context_outcome"], [[[0.3, 1], [0, 0], [0, 0]]], rtol=1e-6)
    assert batch["candidate_design"].shape == (1, 2, 3) and batch["target_mask"].all()
    np.testing.assert_array_equal(batch["known_theta"], [[0, 2, 0, 0]])
    np.testing.assert_array_equal(batch["theta_mask"], [[False, False, True, False]])


def test_answers_come_back_as_tables_with_the_numbers_of_the_arrays(tiny_server):
    pool, targets = designs([0.1, 0.2, 0.4]), designs([1.0, -1.0])
    with Client(tiny_server.target, "tiny", timeout=60) as client:
        answer = client.answer(batch_of_tables(SPEC, history(), candidates=pool, targets=targets))
    tables = answer_tables(SPEC, answer, candidates=pool, targets=targets)
    parameters = tables["parameters"]
    assert list(parameters.index) == list(SPEC.parameter_names)
    np.testing.assert_array_equal(parameters["mean"], answer["theta_mean"][0])
    np.testing.assert_array_equal(parameters["q95"], answer["theta_quantiles"][0, :, 4])
    assert list(tables["targets"].columns[:3]) == ["x", "is_first", "is_second"]
    np.testing.assert_array_equal(tables["targets"]["q5"], answer["quantiles"][0, :, 0])
    candidates = tables["candidates"]
    assert np.flatnonzero(candidates["chosen"]).tolist() == [answer["index"][0]]
    np.testing.assert_array_equal(candidates["probability"], answer["probabilities"][0])
    np.testing.assert_array_equal(candidates["x"], pool["x"].astype(np.float32))
    assert set(answer_tables(SPEC, {"theta_mean": answer["theta_mean"]})) == {"parameters"}


def test_the_history_of_a_session_is_such_a_table():
    spec = preset_spec("psychometric")
    table = pd.DataFrame({"trial": [1, 2], "stimulus": [0.5, 1.0], "response": [1.0, np.nan]})
    batch = batch_of_tables(spec, table.assign(answered=[True, False]))
    assert batch["context_status"].ravel().tolist() == [1, 2]
    assert set(batch) == {"context_design", "context_outcome", "context_status"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"candidates": designs([1.0])[["x"]]}, "columns x, is_first, is_second in candidates; re"),
        ({"candidates": designs(["a"])}, "expected numbers in column x of candidates"),
        ({"targets": designs([np.nan])}, "finite numbers in column x of targets"),
        ({"history": history().assign(first=np.inf)}, "finite numbers in column first of history"),
        ({"history": history().assign(answered=False)}, "no outcome where answered is False"),
        ({"history": history().assign(answered=True)}, "column answered .* received none in row 2"),
        ({"history": history().drop(columns="answered")}, "received none in row 2"),
        ({"candidates": {"x": [1], "is_first": [1, 0], "is_second": [0]}}, "of one length"),
        ({"known": {"nothing": 1.0}}, "parameters of task 'tiny'"),
        ({"known": {"maybe": "much"}}, "could not convert"),
        ({"parameters": "nothing"}, "parameters of task 'tiny'"),
    ],
)
def test_tables_that_cannot_be_meant(arguments, message):
    with pytest.raises(InputError, match=message):
        batch_of_tables(SPEC, **arguments)


def test_a_table_of_another_length_than_the_answer_is_refused():
    answer = {"mean": np.zeros([1, 2])}
    with pytest.raises(InputError, match="expected 2 targets; received a table of 1 rows"):
        answer_tables(SPEC, answer, targets=designs([1.0]))
