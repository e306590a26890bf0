"""The three-stream encoder layer: who reads whom."""

import numpy as np
import pytest

from aline_tf.models.layers.encoder_layer import EncoderLayer
from tests.models.layer_harness import check_layer


def streams(seed=1, context=4, targets=3, candidates=5):
    rng = np.random.default_rng(seed)

    def tokens(count):
        return rng.standard_normal((2, count, 8)).astype(np.float32)

    return {
        "context": tokens(context),
        "context_visible": np.array([[True] * context] * 2),
        "targets": tokens(targets),
        "target_visible": np.array([[True] * targets] * 2),
        "candidates": tokens(candidates),
    }


@pytest.fixture(scope="module")
def layer():
    encoder = EncoderLayer(hidden_dim=8, num_heads=2, intermediate_dim=16)
    encoder.build()
    return encoder


def changed(layer, name, position):
    """Which output tokens move when one input token does: three sets of positions."""
    inputs = streams()
    before = layer(**inputs)
    inputs[name] = inputs[name].copy()
    # Not a constant shift: layer normalisation would undo it.
    inputs[name][:, position] += np.linspace(-1.0, 1.0, 8) ** 2
    after = layer(**inputs)
    return [
        set(np.flatnonzero(np.abs(a.numpy() - b.numpy()).max((0, 2)) > 1e-6))
        for a, b in zip(before, after, strict=True)
    ]


def test_layer_contract():
    check_layer(lambda **kwargs: EncoderLayer(8, 2, 16, **kwargs), streams(), None)


def test_context_is_read_by_everyone(layer):
    assert changed(layer, "context", 1) == [{0, 1, 2, 3}, {0, 1, 2}, {0, 1, 2, 3, 4}]


def test_a_target_is_read_by_candidates_and_by_no_other_target(layer):
    assert changed(layer, "targets", 1) == [set(), {1}, {0, 1, 2, 3, 4}]


def test_a_candidate_is_read_by_nobody(layer):
    assert changed(layer, "candidates", 1) == [set(), set(), {1}]


def test_what_is_not_visible_is_not_read_even_when_it_is_nan(layer):
    inputs = streams()
    inputs["target_visible"][:, 2] = False
    before = layer(**inputs)[2].numpy()
    inputs["targets"] = inputs["targets"].copy()
    inputs["targets"][:, 2] = np.nan
    np.testing.assert_allclose(layer(**inputs)[2], before, atol=1e-6)


def test_the_level_keeps_candidates_from_targets(layer):
    plain, shifted = streams(), streams()
    shifted["targets"] = shifted["targets"] + np.linspace(-1.0, 1.0, 8, dtype="f") ** 2
    apart = [layer(**inputs, level=np.zeros(2, "f"))[2] for inputs in (plain, shifted)]
    alike = [layer(**inputs, level=np.full(2, 90.0, "f"))[2] for inputs in (plain, shifted)]
    assert np.abs(apart[0] - apart[1]).max() > 1e-3
    np.testing.assert_allclose(alike[0], alike[1], atol=1e-6)


def test_biases_fit_the_scores_of_either_reader(layer):
    inputs = streams()
    biases = (np.zeros([2, 2, 3, 4], "f"), np.zeros([2, 2, 5, 7], "f"))
    for a, b in zip(layer(**inputs), layer(**inputs, biases=biases), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_no_candidates(layer):
    inputs = streams(candidates=0)
    context, targets, candidates = layer(**inputs)
    assert candidates.shape == (2, 0, 8)
    assert np.isfinite(context).all()
    assert np.isfinite(targets).all()


def test_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match=r"divisible by num_heads.*hidden_dim=10, num_heads=4"):
        EncoderLayer(hidden_dim=10, num_heads=4)
