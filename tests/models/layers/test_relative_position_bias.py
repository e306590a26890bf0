"""Messages and attention biases from relative positions."""

import numpy as np
import pytest

from aline_tf.models.layers.relative_position_bias import (
    RelativePositionBias,
    log_distances,
    relative_size,
)
from tests.models.batches import normal
from tests.models.layer_harness import check_layer


def inputs_of_two_rows():
    return {
        "tokens": normal(1, 2, 3, 8),
        "position": normal(2, 2, 3, 2),
        "keys": normal(3, 2, 4, 8),
        "key_position": normal(4, 2, 4, 2),
        "stands": np.array([[True, True, True], [True, False, True]]),
        "placed": np.array([[True, True, False, True], [True, False, False, False]]),
    }


def test_layer_contract():
    check_layer(
        lambda **kw: RelativePositionBias(8, 2, 4, num_biases=3, **kw), inputs_of_two_rows(), None
    )


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_distances_are_as_many_as_they_say_and_a_thousandth_is_seen(dims):
    near, nearer = (log_distances([np.full([1, 1, 1], r, "f")] * dims) for r in (1e-3, 2e-3))
    assert dims + len(near) == relative_size(dims)
    assert np.abs(np.subtract(near, nearer)).max() > 0.01


def test_messages_see_differences_only_and_skip_what_is_no_pair():
    layer = RelativePositionBias(8, 2, 4, num_biases=3)
    layer.build()
    inputs = inputs_of_two_rows()
    message, bias, _ = layer(**inputs)
    moved = dict(inputs)
    moved["position"] = inputs["position"] + 0.5
    moved["key_position"] = inputs["key_position"] + 0.5
    np.testing.assert_allclose(layer(**moved)[0], message, atol=1e-5)
    other = dict(inputs, key_position=inputs["key_position"].copy(), keys=inputs["keys"].copy())
    other["key_position"][0, 2] = 9.0
    other["keys"][0, 2] = 9.0
    np.testing.assert_array_equal(layer(**other)[0], message)
    assert bias.shape == (3, 2, 3, 4)
