"""Every feature map has the sizes it announces and takes any leading shape."""

import numpy as np
import pytest

from aline_tf import draws
from aline_tf.tasks import task_by_name
from aline_tf.tasks.feature_maps import FEATURE_MAPS, feature_map


@pytest.mark.parametrize("name", sorted(FEATURE_MAPS))
def test_a_map_has_the_sizes_it_announces(name):
    task, found = task_by_name(name), feature_map(name)
    episode = task.sample_episodes(draws.as_seed(1), 3, 4)
    design = found.design(episode["candidate_design"])
    outcome = found.outcome(episode["candidate_outcome"])
    assert design.shape == (3, 4, found.design_size)
    assert outcome.shape == (3, 4, found.outcome_size)
    np.testing.assert_allclose(
        design[1, 2], found.design(episode["candidate_design"][1, 2]), atol=1e-4
    )
    assert found.design(episode["candidate_design"][:, :0]).shape == (3, 0, found.design_size)


def test_a_task_without_a_map_has_none():
    assert feature_map("psychometric") is None
