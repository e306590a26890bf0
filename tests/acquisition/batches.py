"""Psychometric batches that the tests of policies share."""

import numpy as np

from aline_tf.batch import OBSERVED, empty_batch


def batch_of(rows, candidates=12, trials=3, seed=0):
    """A psychometric Batch with `trials` answers and an even pool whose ends are taken."""
    rng = np.random.default_rng(seed)
    batch = empty_batch({"B": rows, "C": 6, "D": 1, "F": 1, "P": 4, "N": candidates})
    batch["candidate_design"][..., 0] = np.linspace(-5, 5, candidates)
    batch["candidate_mask"][:, 1:-1] = True
    batch["context_design"][:, :trials, 0] = rng.uniform(-5, 5, (rows, trials))
    batch["context_outcome"][:, :trials, 0] = rng.integers(0, 2, (rows, trials))
    batch["context_status"][:, :trials] = OBSERVED
    batch["context_mask"][:, :trials] = True
    batch["theta_mask"][:, 2:] = True
    return batch
