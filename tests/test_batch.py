"""The shape glossary."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aline_tf.batch import (
    BATCH_FIELDS,
    EPISODE_FIELDS,
    check,
    empty_batch,
    field_dtype,
    size_conflict,
    specs,
)
from aline_tf.errors import InputError
from aline_tf.tasks.psychometric import SPEC
from tests.models.batches import EVERY_KIND


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


def random_sizes():
    return st.fixed_dictionaries({letter: st.integers(0, 4) for letter in "BCMN"})


class TestCheck:
    @given(random_sizes())
    def test_an_empty_batch_of_any_size_is_a_batch(self, sizes):
        check(empty_batch(EVERY_KIND.sizes | sizes), EVERY_KIND)

    @given(random_sizes(), st.sampled_from(sorted(BATCH_FIELDS)))
    def test_a_missing_field_is_named(self, sizes, name):
        batch = empty_batch(EVERY_KIND.sizes | sizes)
        del batch[name]
        with pytest.raises(InputError, match=f"expected {name} in the batch; received .+"):
            check(batch, EVERY_KIND)

    @given(random_sizes(), st.sampled_from(sorted(BATCH_FIELDS)), st.sampled_from("fiU"))
    def test_another_dtype_is_named(self, sizes, name, kind):
        batch = empty_batch(EVERY_KIND.sizes | sizes)
        batch[name] = batch[name].astype({"f": "float64", "i": "int64", "U": "str"}[kind])
        with pytest.raises(InputError, match=f"expected {name} of dtype .+; received "):
            check(batch, EVERY_KIND)

    @given(random_sizes(), st.sampled_from(sorted(BATCH_FIELDS)))
    def test_another_rank_is_named(self, sizes, name):
        batch = empty_batch(EVERY_KIND.sizes | sizes)
        batch[name] = batch[name][None]
        with pytest.raises(InputError, match=f"expected {name} of shape .+; received "):
            check(batch, EVERY_KIND)

    @given(random_sizes(), st.sampled_from(sorted(BATCH_FIELDS)), st.integers(0, 2))
    def test_another_size_is_refused(self, sizes, name, axis):
        batch = empty_batch(EVERY_KIND.sizes | sizes)
        axis = axis % batch[name].ndim
        room = [(0, int(k == axis)) for k in range(batch[name].ndim)]
        batch[name] = np.pad(batch[name], room)
        with pytest.raises(InputError, match=f"expected .+; received .*{name}|expected {name} "):
            check(batch, EVERY_KIND)

    def test_messages(self):
        batch = empty_batch(EVERY_KIND.sizes | {"B": 3, "C": 2})
        with pytest.raises(InputError, match=r"as a dict of arrays; received list"):
            check([batch], EVERY_KIND)
        with pytest.raises(InputError, match=r"fields of a batch \(context_design, .*'context_x'"):
            check(batch | {"context_x": 1.0}, EVERY_KIND)
        with pytest.raises(InputError, match="known_theta as an array or tensor; received list"):
            check(batch | {"known_theta": [[0.0] * 4] * 3}, EVERY_KIND)
        with pytest.raises(InputError, match=r"of shape \[B, C, 2\]; received \[3, 2, 1\]"):
            check(batch | {"context_outcome": batch["context_outcome"][..., :1]}, EVERY_KIND)
        with pytest.raises(InputError, match=r"one size C \(context tokens\)"):
            check(batch | {"context_mask": batch["context_mask"][:, :1]}, EVERY_KIND)

    def test_an_episode_may_carry_more_and_is_asked_for_it_by_name(self):
        batch = empty_batch(EVERY_KIND.sizes)
        check(batch | {"theta": np.zeros([1, 4], np.float32)}, EVERY_KIND)
        with pytest.raises(InputError, match="expected theta in the batch"):
            check(batch, EVERY_KIND, EPISODE_FIELDS)

    def test_tensors_and_sizes_not_known_yet_are_taken(self):
        import tensorflow as tf

        check({k: tf.constant(v) for k, v in empty_batch(EVERY_KIND.sizes).items()}, EVERY_KIND)
        seen = []

        @tf.function(input_signature=[specs(EVERY_KIND)])
        def graph(batch):
            check(batch, EVERY_KIND)
            seen.append(batch["context_mask"].shape)
            return batch["context_mask"]

        graph({k: tf.constant(v) for k, v in empty_batch(EVERY_KIND.sizes).items()})
        assert seen[0].as_list() == [None, None]


class TestSpecs:
    def test_sizes_of_the_task_are_fixed_and_the_others_open(self):
        found = specs(EVERY_KIND)
        assert list(found) == list(BATCH_FIELDS)
        for name, letters in BATCH_FIELDS.items():
            sizes = [EVERY_KIND.sizes.get(letter) for letter in letters]
            assert found[name].shape.as_list() == sizes
            assert found[name].name == name and found[name].dtype.name == field_dtype(name)

    def test_what_is_not_free_has_a_size(self):
        found = specs(EVERY_KIND, free="B", C=3, M=0, N=7)
        assert found["candidate_design"].shape.as_list() == [None, 7, 4]
        with pytest.raises(ValueError, match=r"Received: free='B' and no size of C, M"):
            specs(EVERY_KIND, free="B", N=7)


def test_the_glossary_needs_no_tensorflow():
    code = (
        "import sys; from aline_tf.batch import check, empty_batch; "
        f"{SPEC_ALONE}; check(empty_batch(SPEC.sizes), SPEC); "
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


#: A task's description where no simulator, and so no TensorFlow, is imported.
SPEC_ALONE = (
    "from aline_tf.spec import *; c = Channel('y'); "
    "SPEC = TaskSpec('t', ('x',), (0.0,), (1.0,), (c,), (c,), (Parameter('p'),), 3)"
)
