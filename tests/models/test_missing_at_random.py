"""Where answers are missing at random, a question without one is as if it was never asked."""

import numpy as np
import pytest

from aline_tf.batch import NO_ANSWER, OBSERVED, empty_batch
from aline_tf.models.aline import ALINE
from aline_tf.tasks.psychometric import SPEC, Psychometric
from tests.seeds import seed_weights

SIZES = {
    "hidden_dim": 8,
    "num_layers": 2,
    "num_heads": 2,
    "intermediate_dim": 8,
    "components": 2,
    "relative_position_dim": 4,
    "evidence_dim": 6,
}


def batch_of(status):
    batch = empty_batch(SPEC.sizes | {"C": len(status), "N": 3, "M": 2})
    batch["context_mask"][:] = batch["candidate_mask"][:] = True
    batch["context_status"][0, :, 0] = status
    batch["context_design"][0, :, 0] = np.linspace(-3, 3, len(status))
    batch["context_outcome"][0, ::2] = 1.0
    return batch


@pytest.mark.parametrize("nothing", [NO_ANSWER, 0])
def test_refusals_change_nothing_where_they_are_missing_at_random(nothing):
    seed_weights(1)
    model = ALINE.for_task(Psychometric(), **SIZES)
    assert model.missing_at_random
    model.build()
    kernel = model.evidence_sum.messages.kernel
    kernel.assign(np.random.default_rng(2).normal(size=kernel.shape))
    asked = batch_of([OBSERVED, nothing, OBSERVED, nothing, nothing])
    dropped = {name: array.copy() for name, array in asked.items()}
    dropped["context_mask"][0, [1, 3, 4]] = False
    answered = batch_of([OBSERVED] * 5)
    for name, found in model(asked).items():
        np.testing.assert_allclose(found, model(dropped)[name], atol=1e-6, err_msg=name)
        assert np.abs(found - model(answered)[name]).max() > 1e-3


def test_a_task_that_teaches_what_they_mean_shows_them():
    class Telling(Psychometric):
        teaches_missing = True

    assert not ALINE.for_task(Telling(), **SIZES).missing_at_random
