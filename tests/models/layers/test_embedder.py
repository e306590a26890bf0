"""From designs, outcomes and known parameters to tokens."""

import numpy as np
import pytest

from aline_tf.batch import MISSING, NO_ANSWER, OBSERVED
from aline_tf.models.layers.embedder import Embedder
from tests.models.batches import EVERY_KIND, random_batch
from tests.models.layer_harness import check_layer


@pytest.fixture(scope="module")
def embedder():
    layer = Embedder(EVERY_KIND, hidden_dim=8, intermediate_dim=16)
    layer.build()
    return layer


def tokens(embedder, batch):
    return embedder(batch)[0].numpy()[:, 1 + len(EVERY_KIND.parameters) :]


def test_layer_contract():
    check_layer(
        lambda **kwargs: Embedder(EVERY_KIND, hidden_dim=8, intermediate_dim=16, **kwargs),
        {"batch": random_batch(1)},
        None,
    )


def test_the_start_token_is_visible_and_the_others_follow_their_masks(embedder):
    batch = random_batch(2)
    batch["context_mask"][:, 1] = False
    _, visible, targets, candidates = embedder(batch)
    expected = np.concatenate(
        [np.ones([3, 1], bool), batch["known_mask"], batch["context_mask"]], axis=1
    )
    np.testing.assert_array_equal(visible, expected)
    assert targets.shape == (3, 4 + 3, 8)
    assert candidates.shape == (3, 5, 8)


def test_designs_are_scaled_to_plus_minus_one(embedder):
    ends = np.array([EVERY_KIND.design_low, EVERY_KIND.design_high], np.float32)
    np.testing.assert_allclose(embedder.scale_design(ends), [[-1.0] * 4, [1.0] * 4], atol=1e-6)


@pytest.mark.parametrize("status", [MISSING, NO_ANSWER])
def test_a_value_that_was_not_observed_is_never_read(embedder, status):
    batch = random_batch(3)
    batch["context_status"][:] = status
    before = tokens(embedder, batch)
    batch["context_outcome"][:] = np.nan
    np.testing.assert_array_equal(tokens(embedder, batch), before)


def test_missing_no_answer_and_observed_are_three_different_facts(embedder):
    batch = random_batch(4)
    seen = []
    for status in (MISSING, OBSERVED, NO_ANSWER):
        batch["context_status"][:] = status
        seen.append(tokens(embedder, batch))
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(seen[first] - seen[second]).max() > 1e-3


def test_half_precision_keeps_large_natural_units():
    """70000 steps overflow float16; scaled first, they are an ordinary number."""
    batch = random_batch(5)
    batch["context_outcome"][..., 0] = 7e4
    layer = Embedder(EVERY_KIND, hidden_dim=8, intermediate_dim=16, dtype="mixed_float16")
    assert np.isfinite(layer(batch)[0].numpy()).all()
