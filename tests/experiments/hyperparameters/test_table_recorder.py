"""The recorder: deterministic, resumable, and the maker of the tables that ship."""

import json

import numpy as np
import pytest

from aline_tf.cli import main
from aline_tf.errors import InputError
from aline_tf.experiments.hyperparameters import table_recorder as recorder
from aline_tf.tasks.hpo_tables import SPLITS, load_search_space

SMALL = {"train": ("iris",), "validation": ("wine",), "test": ("breast_cancer",)}


def record(out, report=lambda line: None):
    recorder.record(out, ("elastic_net",), 4, 3, SMALL, report)
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def test_what_is_recorded_is_read_back(tmp_path):
    lines = []
    files = record(tmp_path, lines.append)
    assert set(files) == {f"meta-{s}-dataset.json.gz" for s in SPLITS} | {"search-spaces.json"}
    space = load_search_space("elastic_net", tmp_path)
    assert space.hyperparameters == recorder.SPACES["elastic_net"].hyperparameters
    assert len(lines) == sum(len(tables) for tables in space.landscapes.values())
    expected = recorder.configurations("elastic_net", 4, 3)
    for split, (source,) in SMALL.items():
        made = {table.name: table for table in recorder.bundled_tables(source, 3)}
        assert [table.name for table in space.landscapes[split]] == list(made)
        for table in space.landscapes[split]:
            np.testing.assert_allclose(table.design, expected, atol=1e-6)
        one = space.landscapes[split][0]
        again = recorder.cross_validated(made[one.name], "elastic_net", expected, 3)
        np.testing.assert_allclose(one.score, again, atol=1e-6)


def test_an_interrupted_recording_goes_on_and_ends_in_the_same_bytes(tmp_path):
    whole = record(tmp_path / "whole")

    def interrupt(line):
        if "wine-growers:" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(tmp_path / "parts", interrupt)
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["recording.json"]
    done = len(json.loads((tmp_path / "parts" / "recording.json").read_text())["scores"])
    lines = []
    assert record(tmp_path / "parts", lines.append) == whole
    assert done == 4 and not any("iris" in line or "wine-growers:" in line for line in lines)


def test_measurements_of_another_setting_are_not_reused(tmp_path):
    (tmp_path / "recording.json").write_text(
        json.dumps({"setting": ["another"], "scores": {"elastic_net/iris-kinds": [9.0] * 4}})
    )
    record(tmp_path)
    assert load_search_space("elastic_net", tmp_path).landscapes["train"][0].score.max() <= 1.0


def test_tables_are_classification_problems_of_a_modest_size():
    names = []
    for source in (source for sources in recorder.SPLITS.values() for source in sources):
        for table in recorder.bundled_tables(source, 0):
            names.append(table.name)
            assert table.features.shape[0] == table.labels.shape[0] <= recorder.ROWS
            assert np.isfinite(table.features).all()
            assert np.bincount(table.labels).min() >= recorder.FOLDS
    assert len(set(names)) == len(names) >= 24


@pytest.mark.parametrize("space", recorder.SPACES)
def test_configurations_are_in_the_unit_cube_and_make_an_estimator(space):
    unit = recorder.configurations(space, 50, 0)
    assert unit.shape == (50, len(recorder.SPACES[space].hyperparameters))
    assert unit.min() >= 0.0 and unit.max() <= 1.0
    np.testing.assert_array_equal(unit, recorder.configurations(space, 50, 0))
    for corner in (*unit[:3], np.zeros(unit.shape[1]), np.ones(unit.shape[1])):
        model = recorder.SPACES[space].make(corner, 0)
        features = np.random.default_rng(0).normal(size=(90, 3))
        model.fit(features, (features[:, 0] > 0).astype(int))


def test_an_idle_hyperparameter_of_a_radial_kernel_is_zero():
    unit = recorder.configurations("svm", 80, 0)
    radial = unit[:, 2] == 0.0
    assert 20 < radial.sum() < 60
    assert (unit[radial, 3:] == 0.0).all() and (unit[~radial, 3:] > 0.0).any(1).all()


@pytest.mark.parametrize("space", ["svm", "elastic_net"])
def test_the_shipped_scores_are_the_recorders(space):
    """A few configurations anew; another build of the libraries may move a row or two."""
    table = next(iter(recorder.bundled_tables("wine", 0)))
    shipped = next(
        found for found in load_search_space(space).landscapes["test"] if found.name == table.name
    )
    unit = recorder.configurations(space, recorder.CONFIGURATIONS, 0)
    np.testing.assert_allclose(shipped.design, unit, atol=1e-6)
    again = recorder.cross_validated(table, space, unit[:12], 0)
    np.testing.assert_allclose(shipped.score[:12], again, atol=0.02)


def test_a_recording_of_nothing_is_refused(tmp_path):
    with pytest.raises(InputError, match="--configurations 0"):
        recorder.record(tmp_path, count=0)
    command = ["record-hpo", "--out", str(tmp_path), "--configurations", "0"]
    assert main(command) == 2
    assert not list(tmp_path.iterdir())
