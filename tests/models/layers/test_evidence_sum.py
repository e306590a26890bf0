"""A sum over observations: blind to order and padding, sensitive to number and to what is known."""

import numpy as np
import pytest

from aline_tf.batch import empty_batch
from aline_tf.models.aline import ALINE
from aline_tf.models.layers import EvidenceSum
from aline_tf.models.presets import copy_weights, load_preset, save_preset
from aline_tf.tasks.psychometric import SPEC
from tests.seeds import seed_weights

SIZES = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8, "components": 2}


def layer_of(seed=1):
    seed_weights(seed)
    layer = EvidenceSum(4, num_parameters=2, units=3, intermediate_dim=5)
    layer.build()
    kernel = layer.messages.kernel
    kernel.assign(np.random.default_rng(seed).normal(size=kernel.shape))
    return layer


def messages(layer, tokens, seen, known):
    return np.concatenate([part.numpy() for part in layer(tokens, seen, known)], axis=1)


def test_order_and_padding_change_nothing_and_number_and_known_values_do():
    layer, rng = layer_of(), np.random.default_rng(2)
    tokens = rng.normal(size=(1, 6, 4)).astype("float32")
    seen = np.array([[True, True, True, True, False, False]])
    known = np.zeros((1, 4), "float32")
    plain = messages(layer, tokens, seen, known)
    order = [3, 5, 1, 0, 4, 2]
    np.testing.assert_allclose(
        messages(layer, tokens[:, order], seen[:, order], known), plain, atol=1e-6
    )
    tokens[:, 4:] = 9.0
    np.testing.assert_allclose(messages(layer, tokens, seen, known), plain, atol=1e-6)
    twice = messages(layer, np.repeat(tokens[:, :4], 2, axis=1), np.ones((1, 8), bool), known)
    assert np.abs(twice - plain).max() > 1e-3
    given = messages(layer, tokens, seen, np.array([[1.0, 0.0, 0.3, 0.0]], "float32"))
    assert np.abs(given - plain).max() > 1e-3


def test_a_trained_model_that_is_given_the_layer_starts_as_what_it_was(tmp_path):
    seed_weights(3)
    before, after = ALINE(SPEC, **SIZES), ALINE(SPEC, **SIZES, evidence_dim=6)
    before.build()
    after.build()
    added = copy_weights(before, after)
    assert added and all(name.startswith("evidence_sum/") for name in added)
    batch = empty_batch(SPEC.sizes | {"B": 2, "C": 3, "N": 4, "M": 2})
    batch["context_mask"][:, :2] = batch["candidate_mask"][:] = True
    batch["context_status"][:] = 1
    batch["context_design"][:] = np.linspace(-4, 4, 6).reshape(2, 3, 1)
    for name, found in after(batch).items():
        np.testing.assert_allclose(found, before(batch)[name], atol=1e-6, err_msg=name)
    save_preset(after, tmp_path / "preset")
    assert load_preset(tmp_path / "preset").evidence_sum.units == 6


def test_weights_without_a_place_are_refused_and_nothing_is_copied():
    seed_weights(4)
    small, large = ALINE(SPEC, **SIZES), ALINE(SPEC, **SIZES, evidence_dim=6)
    small.build()
    large.build()
    weights = small.get_weights()
    with pytest.raises(ValueError, match="expected a place for evidence_sum"):
        copy_weights(large, small)
    for a, b in zip(small.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(a, b)
