"""The task of one's own that the examples show: short, trained and asked as its text says."""

import ast
import runpy
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from aline_tf.cli import main
from aline_tf.models.presets import load_preset
from tests.graphs import without_graphs

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TINY = [
    "--warmup-steps", "2", "--joint-steps", "2", "--steps-per-epoch", "2",
    "--set", "batch=4", "--set", "warmup_batch=4", "--set", "group_size=2", "--set", "pool=8",
    "--set", "candidates_per_step=4", "--set", "steps_per_episode=2",
]  # fmt: skip


@contextmanager
def inside_examples():
    """The working directory, found without being on the path before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(EXAMPLES)
        patch.setattr(sys, "path", [p for p in sys.path if Path(p or ".") != EXAMPLES])
        yield
        sys.modules.pop("own_task", None)


@pytest.fixture
def in_examples():
    with inside_examples():
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory, small_models):
    """Trained from its own directory."""
    out = tmp_path_factory.mktemp("train") / "elimination"
    with inside_examples(), without_graphs():
        assert main(["train", "own_task:Elimination", "--out", str(out), *TINY]) == 0
    return out


def test_the_class_has_no_more_than_thirty_lines_of_code():
    source = (EXAMPLES / "own_task.py").read_text()
    task = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    lines = source.splitlines()[task.lineno - 1 : task.end_lineno]
    assert sum(bool(line.strip()) for line in lines) <= 30
    assert [
        node.name if isinstance(node, ast.FunctionDef) else node.targets[0].id for node in task.body
    ] == ["spec", "sample_theta", "simulate", "log_likelihood", "log_prior"]


def test_it_trains_from_its_own_directory_and_follows_a_patient(trained, capsys, in_examples):
    assert load_preset(trained, task="elimination").spec.horizon == 6
    example = runpy.run_path(str(EXAMPLES / "own_task.py"))
    session = example["follow_a_patient"](trained / "preset")
    assert session.steps == 6
    assert capsys.readouterr().out.count("decay time") == 6
    assert 1.0 < session.posterior()["decay_time"].mean < 12.0


def test_it_is_measured_exported_and_checked_from_its_own_directory(
    trained, tmp_path, capsys, in_examples
):
    name, preset = "own_task:Elimination", str(trained / "preset")
    sizes = ["--runs", "4", "--candidates", "8", "--contrastive", "20"]
    policies = ["--policy", "learned", "random", "greedy", "--plots", str(tmp_path / "plots")]
    assert main(["eval", name, "--model", preset, *policies, *sizes]) == 0
    table = capsys.readouterr().out
    for word in ("learned", "random", "greedy", "decay_time", "log_dose", "spce", "rmse"):
        assert word in table
    assert list((tmp_path / "plots").glob("*.png"))
    assert main(["export", preset, "--out", str(tmp_path / "served" / "1")]) == 0
    assert (tmp_path / "served" / "1" / "saved_model.pb").is_file()


def test_its_likelihood_is_the_density_of_its_simulator(in_examples):
    from scipy.stats import norm

    task = runpy.run_path("own_task.py")["Elimination"]()
    theta, design = np.float32([1.2, 4.0]), np.float32([[8.0], [2.0]])
    outcome = np.float32([[-1.0], [0.5]])
    found = task.log_likelihood(theta, design, outcome)
    mean = 1.2 - design[:, 0] / 4.0
    np.testing.assert_allclose(found, norm.logpdf(outcome[:, 0], mean, 0.2), rtol=1e-4)


def test_its_outcomes_follow_the_formula(in_examples):
    from aline_tf import draws

    task = runpy.run_path("own_task.py")["Elimination"]()
    theta = np.repeat([[1.2, 4.0]], 2000, axis=0).astype(np.float32)
    design = np.full((2000, 1, 1), 8.0, np.float32)
    found = task.simulate(theta, design, draws.as_seed(1)).numpy()
    assert found.mean() == pytest.approx(1.2 - 2.0, abs=0.02)
    assert found.std() == pytest.approx(0.2, abs=0.02)
