"""A task is added to the package by one file, one folder and one line of the registry."""

import sys

import numpy as np
import pytest

from aline_tf.acquisition.session import Session
from aline_tf.cli import main
from aline_tf.tasks import registry, task_by_name
from tests.examples.test_own_task import EXAMPLES, TINY
from tests.graphs import without_graphs

EXPERIMENT = """
from aline_tf.experiments.own_task import OwnTaskExperiment


class EliminationExperiment(OwnTaskExperiment):
    defaults = {"runs": 3, "candidates": 8}
"""


@pytest.fixture
def added(tmp_path, monkeypatch, small_models):
    """The task file and the experiment's folder lie elsewhere; the line is in the registry."""
    (tmp_path / "elimination.py").write_text((EXAMPLES / "own_task.py").read_text())
    folder = tmp_path / "elimination_experiment"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Measures the elimination of a drug."""\n')
    (folder / "experiment.py").write_text(EXPERIMENT)
    entry = registry.Entry(
        "elimination:Elimination", "elimination_experiment.experiment:EliminationExperiment"
    )
    monkeypatch.setitem(registry.TASKS, "elimination", entry)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("elimination")]:
        sys.modules.pop(name)


def test_it_is_trained_measured_exported_and_served_by_its_name(added, capsys):
    from aline_tf.serving.embedded.repository import ModelRepository
    from aline_tf.serving.embedded.server import Server
    from aline_tf.serving.remote_model import RemoteModel

    out = added / "trained"
    train = ["train", "elimination", "--out", str(out), *TINY, "--joint-steps", "0"]
    with without_graphs():
        assert main(train) == 0
    capsys.readouterr()
    evaluate = ["eval", "elimination", "--model", str(out / "preset"), "--policy", "learned"]
    assert main([*evaluate, "--contrastive", "20"]) == 0
    assert "decay_time" in capsys.readouterr().out
    served = added / "served"
    assert main(["export", str(out / "preset"), "--out", str(served / "elimination" / "1")]) == 0
    repository = ModelRepository(served)
    spec = task_by_name("elimination").spec
    with Server(repository, port=0, warm_up=False, poll_seconds=0) as server:
        model = RemoteModel(f"127.0.0.1:{server.port}", "elimination", spec)
        session = Session(model, np.linspace(0, 24, 9)[:, None])
        session.tell(session.ask().index, 0.3)
        assert 1.0 <= session.posterior()["decay_time"].mean <= 12.0
