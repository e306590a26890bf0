"""A measurement in a process of its own: its figures, its failure."""

import numpy as np
import pytest

from aline_tf.bench import isolation

ARGUMENTS = {"candidates": 30, "horizon": 2, "predicts": False, "runs": 2}


def test_a_job_brings_its_figures_and_the_memory_of_its_own_process():
    # Held here, and no part of what the child reports.
    held = np.ones(10**8)
    found = isolation.measure("acquisition", 1, measure="forward", task="psychometric", **ARGUMENTS)
    assert found["calls"] == 4
    assert 0.0 < found["wall"] < found["first"]
    assert 1e8 < found["peak_bytes"] < isolation.peak_bytes()
    assert held.nbytes < isolation.peak_bytes()


def test_a_job_that_fails_says_why():
    with pytest.raises(RuntimeError, match="juggling"):
        isolation.measure("acquisition", 1, measure="forward", task="juggling", **ARGUMENTS)
