"""The shape glossary."""

import numpy as np
import pytest

from aline_tf.batch import BATCH_FIELDS, EPISODE_FIELDS, empty_batch, field_dtype, size_conflict
from aline_tf.tasks.psychometric import SPEC


def test_an_episode_is_a_batch_and_more():
    assert BATCH_FIELDS.items() <= EPISODE_FIELDS.items()


def test_an_empty_batch_has_every_field_in_its_shape_and_dtype():
    sizes = {"B": 2, "C": 3, "D": 4, "F": 5, "P": 6, "M": 7, "N": 8}
    batch = empty_batch(sizes)
    assert set(batch) == set(BATCH_FIELDS)
    for name, letters in BATCH_FIELDS.items():
        assert batch[name].shape == tuple(sizes[letter] for letter in letters)
        assert batch[name].dtype == field_dtype(name)
        assert not batch[name].any()


def test_an_empty_batch_defaults_to_one_row_and_nothing_in_it():
    batch = empty_batch(SPEC.sizes)
    assert batch["context_design"].shape == (1, 0, 1)
    assert batch["candidate_mask"].shape == (1, 0)
    assert batch["known_theta"].shape == (1, 4)


def test_the_sizes_of_the_task_must_be_given():
    with pytest.raises(KeyError):
        empty_batch({"D": 1})


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("context_mask", "bool"),
        ("theta_observed", "bool"),
        ("candidate_status", "int32"),
        ("candidate_cost", "float32"),
    ],
)
def test_the_dtype_follows_from_the_name(name, dtype):
    assert field_dtype(name) == dtype
    assert np.zeros(1, field_dtype(name)).dtype == dtype


class TestSizeConflict:
    def test_agreement_is_no_conflict(self):
        shapes = {"context_design": (2, 0, 3), "context_mask": (2, 0), "candidate_mask": (2, 9)}
        assert size_conflict(shapes) is None

    def test_a_conflict_names_the_letter_and_every_input_that_has_it(self):
        shapes = {"context_design": (2, 4, 3), "context_mask": (2, 5), "theta_mask": (2, 4)}
        assert size_conflict(shapes) == (
            "expected one size C (context tokens) in all of its inputs;"
            " received context_design [2, 4, 3], context_mask [2, 5]"
        )

    def test_one_row_does_not_stand_for_many(self):
        shapes = {"context_design": (64, 4, 3), "known_mask": (1, 2)}
        assert "size B (batch rows)" in size_conflict(shapes)

    def test_inputs_of_other_models_agree_about_the_batch_only(self):
        assert size_conflict({"a": (2, 3), "b": (2, 9)}) is None
        assert "size B" in size_conflict({"a": (2, 3), "b": (1, 3)})
