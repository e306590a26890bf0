"""Uncertainty sampling on the model's own predictions."""

import numpy as np
import pytest

from aline_tf.acquisition.baselines.uncertainty import UncertaintySamplingPolicy
from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.tasks.gp import GP1D
from aline_tf.tasks.psychometric import SPEC as PSYCHOMETRIC
from tests.models.batches import EVERY_KIND, random_batch
from tests.seeds import seed_weights


def tiny(spec):
    seed_weights(3)
    model = ALINE(spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2)
    model.build()
    return model


@pytest.mark.parametrize("spec", [GP1D().spec, PSYCHOMETRIC], ids=["continuous", "binary"])
def test_the_least_certain_candidate_is_taken(spec):
    model = tiny(spec)
    batch = random_batch(1, spec, B=4, C=3, M=2, N=9)
    batch["candidate_mask"][:, ::3] = False
    chosen = UncertaintySamplingPolicy(model).choose(batch)
    # Asked one candidate at a time, as a target.
    uncertainty = np.full((4, 9), -np.inf)
    for n in np.flatnonzero(batch["candidate_mask"][0]):
        query = batch | {
            "target_design": batch["candidate_design"][:, n : n + 1],
            "target_mask": np.zeros([4, 1], bool),
        }
        summary = model.target_summary(model(query), query)
        uncertainty[:, n] = summary["sd"].numpy()[:, 0]
    # The entropy of a binary outcome orders as its standard deviation does.
    np.testing.assert_array_equal(chosen, uncertainty.argmax(1))


def test_targets_change_nothing():
    model = tiny(GP1D().spec)
    policy = UncertaintySamplingPolicy(model)
    batch = random_batch(2, model.spec, B=3)
    first = policy.choose(batch)
    other = batch | {"theta_mask": ~batch["theta_mask"], "target_mask": ~batch["target_mask"]}
    np.testing.assert_array_equal(policy.choose(other), first)
    assert policy.reads_targets is False


def test_outcomes_of_several_kinds_are_refused():
    with pytest.raises(InputError, match="received 3"):
        UncertaintySamplingPolicy(tiny(EVERY_KIND))
