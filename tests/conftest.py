"""What every test shares: a quiet TensorFlow and known seeds."""

import os

# Read when TensorFlow loads, so it has to be set before any test module imports it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
# One process for each core: threads of their own would only stand in each other's way.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import random

import numpy as np
import pytest

SEED = 20


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Seed the global generators that are drawn from, so that no test depends on which tests ran
    before it; TensorFlow's own is none of them, see `tests.seeds`."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002  (libraries under test read the legacy generator)
