"""Files in the HPO-B format: what is read from them, and what is refused."""

import gzip
import json
import subprocess
import sys

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.tasks.hpo_tables import (
    TYPICAL_SPREAD,
    ScoreScale,
    load_search_space,
    read_tables,
)

TABLE = {"X": [[0.0, 1.0], [0.5, 0.25], [1.0, 0.0]], "y": [[0.9], [0.8], [0.5]]}


def write(directory, train=None, validation=None, test=None, space="5971"):
    found = {
        "train": train or {"10": TABLE, "11": TABLE},
        "validation": validation or {"20": TABLE},
        "test": test or {"30": TABLE},
    }
    for split, tables in found.items():
        path = directory / f"meta-{split}-dataset.json"
        path.write_text(json.dumps({space: tables, "other": {"1": TABLE}}))
    return directory


def test_tables_are_read_as_they_were_written(tmp_path):
    space = load_search_space("5971", write(tmp_path))
    assert [table.name for table in space.landscapes["train"]] == ["10", "11"]
    assert [table.name for table in space.landscapes["test"]] == ["30"]
    table = space.landscapes["validation"][0]
    np.testing.assert_array_equal(table.design, np.array(TABLE["X"], np.float32))
    np.testing.assert_array_equal(table.score, np.float32([0.9, 0.8, 0.5]))
    assert table.spread == pytest.approx(np.std([0.9, 0.8, 0.5]))
    assert space.hyperparameters == ("x1", "x2")


def test_compressed_files_flat_scores_and_names_are_read_too(tmp_path):
    write(tmp_path, test={"30": TABLE | {"y": [0.9, 0.8, 0.5]}})
    for path in list(tmp_path.glob("*.json")):
        path.with_suffix(".json.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    (tmp_path / "search-spaces.json").write_text(json.dumps({"5971": ["depth", "rate"]}))
    space = load_search_space("5971", tmp_path)
    assert space.hyperparameters == ("depth", "rate")
    np.testing.assert_array_equal(space.landscapes["test"][0].score, np.float32([0.9, 0.8, 0.5]))


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ([], 'with "X" and "y"'),
        ({"X": TABLE["X"]}, 'with "X" and "y"'),
        (TABLE | {"y": [[0.9], [0.8]]}, "each of the 3 rows"),
        (TABLE | {"y": [[0.9, 0.1], [0.8, 0.1], [0.5, 0.1]]}, "each of the 3 rows"),
        (TABLE | {"y": [[0.9], [float("nan")], [0.5]]}, "NaN"),
        (TABLE | {"y": [[0.9], [None], [0.5]]}, "5971/30"),
        (TABLE | {"y": [[0.9], ["good"], [0.5]]}, "rows of numbers"),
        (TABLE | {"X": [[0.0, 1.0], [0.5, float("inf")], [1.0, 0.0]]}, "infinite"),
        (TABLE | {"X": [[0.0, 1.0], [0.5], [1.0, 0.0]]}, "rows of numbers"),
        (TABLE | {"X": [[0.0, 1.0], [0.5, 20.0], [1.0, 0.0]]}, r"in \[0, 1\]"),
        (TABLE | {"X": [0.0, 0.5, 1.0]}, r"shape \[n, D\]"),
        ({"X": [], "y": []}, r"shape \[n, D\]"),
        (TABLE | {"X": [[0.0], [0.5], [1.0]]}, r"every file of .* received \[1, 2\]"),
    ],
)
def test_a_malformed_table_is_refused(tmp_path, table, complaint):
    write(tmp_path, test={"30": table})
    with pytest.raises(InputError, match=complaint):
        load_search_space("5971", tmp_path)


def test_an_unknown_search_space_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(InputError, match=r"of 5971, other in .* received '17'"):
        load_search_space("17", write(tmp_path))


@pytest.mark.parametrize("content", ["{", "[]", '{"5971": []}', '{"5971": {}}', ""])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / "meta-test-dataset.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"expected .*meta-test-dataset\.json"):
        read_tables(path, "5971")


def test_a_damaged_compressed_file_is_refused(tmp_path):
    path = tmp_path / "meta-test-dataset.json.gz"
    path.write_bytes(gzip.compress(b'{"5971": {}}')[:-9])
    with pytest.raises(InputError, match="expected JSON"):
        read_tables(path, "5971")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"expected meta-train-dataset\.json"):
        load_search_space("5971", tmp_path)


def test_a_data_set_of_two_splits_is_refused(tmp_path):
    write(tmp_path, test={"11": TABLE})
    with pytest.raises(InputError, match="received 11 in train and in test"):
        load_search_space("5971", tmp_path)


def test_names_that_do_not_fit_are_refused(tmp_path):
    write(tmp_path)
    (tmp_path / "search-spaces.json").write_text(json.dumps({"5971": ["depth"]}))
    with pytest.raises(InputError, match="expected 2 names"):
        load_search_space("5971", tmp_path)


def test_the_shipped_sources_are_in_one_split_each():
    for name in ("boosting", "svm", "elastic_net"):
        space = load_search_space(name)
        sources = {
            split: {table.name.split("-")[0] for table in tables}
            for split, tables in space.landscapes.items()
        }
        assert not sources["train"] & (sources["validation"] | sources["test"])
        assert not sources["validation"] & sources["test"]
        assert len(space.landscapes["train"]) >= 16 and len(space.landscapes["test"]) >= 4
        assert len(space.hyperparameters) >= 4
        for tables in space.landscapes.values():
            for table in tables:
                assert 0.0 <= table.score.min() < table.score.max() <= 1.0


class TestScoreScale:
    def test_many_points_tell_their_own_spread_and_one_point_the_typical_one(self):
        scores = np.random.default_rng(1).normal(0.7, 0.02, 100_000)
        many = ScoreScale.of(scores)
        assert (many.loc, many.scale) == pytest.approx((0.7, 0.02), abs=1e-3)
        one = ScoreScale.of([0.4])
        assert (one.loc, one.scale) == (0.4, pytest.approx(TYPICAL_SPREAD))

    def test_two_points_by_hand(self):
        scale = ScoreScale.of([0.5, 0.7])
        assert scale.loc == pytest.approx(0.6)
        assert scale.scale == pytest.approx(np.sqrt((2 * 0.1**2 + 2 * 0.1**2) / 3))

    def test_standardised_scores_come_back(self):
        scale = ScoreScale.of([0.5, 0.7, 0.9])
        np.testing.assert_allclose(scale.score(scale.standardise([0.1, 0.8])), [0.1, 0.8])

    @pytest.mark.parametrize("scores", [[], [0.5, float("nan")], [[0.5]]])
    def test_unusable_scores_are_refused(self, scores):
        with pytest.raises(InputError, match="finite initial score"):
            ScoreScale.of(scores)


def test_reading_needs_no_tensorflow():
    code = (
        "import sys, aline_tf.tasks.hpo_tables; "
        "import aline_tf.experiments.hyperparameters.table_recorder; "
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
