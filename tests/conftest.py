"""What every test shares: a quiet TensorFlow and known seeds."""

import os

# Read when TensorFlow loads, so it has to be set before any test module imports it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
# One process for each core: threads of their own would only stand in each other's way.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Most of what XLA does is to make fast what a test runs a few times.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)

import gc
import random
import resource
from pathlib import Path

import numpy as np
import pytest

from tests.graphs import without_graphs

SEED = 20

# Graphs are traced in millions of objects, few of them in cycles: to look for those every 700
# objects takes a twentieth of the time of the tests.
gc.set_threshold(100_000, 20, 100)

# A test that asks for more than a machine has is to end as a MemoryError of its own.
resource.setrlimit(resource.RLIMIT_DATA, (12 << 30, resource.getrlimit(resource.RLIMIT_DATA)[1]))


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Seed the global generators that are drawn from, so that no test depends on which tests ran
    before it; TensorFlow's own is none of them, see `tests.seeds`."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002  (libraries under test read the legacy generator)


@pytest.fixture(name="without_graphs")
def without_graphs_in_a_test():
    """See `tests.graphs`."""
    with without_graphs():
        yield


@pytest.fixture(name="module_without_graphs", scope="module")
def without_graphs_in_a_module():
    """See `tests.graphs`."""
    with without_graphs():
        yield


@pytest.fixture(scope="session")
def presets_read() -> dict:
    """Models by what they were read from; see `presets_read_once`."""
    return {}


@pytest.fixture
def presets_read_once(monkeypatch, presets_read) -> None:
    """Commands that read the same files get the same model, so that its graphs are traced once and
    not once a command. For commands that only look at it."""
    from aline_tf.migraine.task import pretrained
    from aline_tf.models import presets

    read = presets.load_preset

    def load_preset(directory, task=None):
        files = (path for path in Path(directory).rglob("*") if path.is_file())
        stamps = tuple(sorted((str(path), path.stat().st_mtime_ns) for path in files))
        key = str(directory), stamps, task
        if key not in presets_read:
            presets_read[key] = read(directory, task)
        return presets_read[key]

    for module in (presets, pretrained):
        monkeypatch.setattr(module, "load_preset", load_preset)


@pytest.fixture(scope="module")
def small_models():
    """Tasks of one's own are trained with small models: what a command does with a model is the
    same for all sizes, and takes longer for large ones."""
    from aline_tf.experiments.own_task import OwnTaskExperiment
    from aline_tf.training.recipe import Recipe

    sizes = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 16}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OwnTaskExperiment, "recipe", lambda self: (dict(sizes), Recipe()))
        yield
