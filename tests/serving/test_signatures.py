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


class TestSizeConflict:
    def test_agreement_is_no_conflict(self):
        shapes = {"context_design": (2, 0, 3), "context_mask": (2, 0), "candidate_mask": (2, 9)}
        assert signatures.size_conflict(shapes) is None

    def test_a_conflict_names_the_letter_and_every_input_that_has_it(self):
        shapes = {"context_design": (2, 4, 3), "context_mask": (2, 5), "theta_mask": (2, 4)}
        assert signatures.size_conflict(shapes) == (
            "expected one size C (context tokens) in all of its inputs;"
            " received context_design [2, 4, 3], context_mask [2, 5]"
        )

    def test_one_row_does_not_stand_for_many(self):
        shapes = {"context_design": (64, 4, 3), "known_mask": (1, 2)}
        assert "size B (batch rows)" in signatures.size_conflict(shapes)

    def test_inputs_of_other_models_agree_about_the_batch_only(self):
        assert signatures.size_conflict({"a": (2, 3), "b": (2, 9)}) is None
        assert "size B" in signatures.size_conflict({"a": (2, 3), "b": (1, 3)})
