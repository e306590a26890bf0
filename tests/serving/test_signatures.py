"""The table of inputs that export, server and client share."""

from aline_tf.batch import BATCH_FIELDS
from aline_tf.serving import signatures


def test_every_input_is_a_field_of_a_batch():
    for names in signatures.SIGNATURES.values():
        assert set(names) <= set(BATCH_FIELDS)
        assert len(set(names)) == len(names)


def test_free_shape_leaves_only_the_sizes_of_the_request_open():
    sizes = {"D": 2, "F": 5, "P": 4}
    assert signatures.free_shape("context_outcome", sizes) == [None, None, 5]
    assert signatures.free_shape("known_theta", sizes) == [None, 4]
    assert signatures.free_shape("candidate_design", sizes) == [None, None, 2]


def test_quantile_levels_are_those_of_the_models():
    from aline_tf.models.distributions.theta_posterior import QUANTILE_LEVELS

    assert tuple(QUANTILE_LEVELS) == signatures.QUANTILE_LEVELS
