"""A batch as one vector comes out of a graph as it went in, with room or without."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from aline_tf.batch import BATCH_FIELDS, field_dtype
from aline_tf.batch_ops import pad
from aline_tf.errors import InputError
from aline_tf.models.packing import free_sizes, packed, unpacked
from aline_tf.tasks.ces import CES
from aline_tf.tasks.psychometric import SPEC

SPECS = (SPEC, CES.spec)


def batch_of(spec, sizes, seed):
    rng = np.random.default_rng(seed)
    sizes = spec.sizes | dict(zip("BCMN", sizes, strict=True))
    made = {}
    for name, letters in BATCH_FIELDS.items():
        shape, dtype = [sizes[letter] for letter in letters], field_dtype(name)
        values = rng.normal(size=shape) if dtype == "float32" else rng.integers(0, 2, shape)
        made[name] = values.astype(dtype)
    return made


@given(
    spec=st.sampled_from(SPECS),
    sizes=st.tuples(*[st.integers(low, 4) for low in (1, 0, 0, 0)]),
    room=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    seed=st.integers(0, 99),
)
def test_a_batch_comes_out_as_it_went_in(spec, sizes, room, seed):
    batch = batch_of(spec, sizes, seed)
    assert free_sizes(batch) == sizes
    rows, tokens, targets, candidates = sizes
    padded = rows, tokens + room[0], targets + room[1], candidates
    found = unpacked(tf.constant(packed(batch, spec, padded)), spec, padded)
    expected = pad(batch, C=room[0], M=room[1])
    for name in BATCH_FIELDS:
        assert found[name].dtype == field_dtype(name)
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


@pytest.mark.parametrize(
    "name, shape",
    [
        ("context_design", (2, 3, 2)),
        ("known_theta", (2, 3)),
        ("target_design", (1, 1, 1)),
        ("candidate_mask", (2,)),
    ],
)
def test_a_field_of_another_shape_is_refused(name, shape):
    batch = batch_of(SPEC, (2, 3, 1, 4), seed=1)
    batch[name] = np.zeros(shape, field_dtype(name))
    with pytest.raises((InputError, IndexError)):
        packed(batch, SPEC, free_sizes(batch))


@given(seed=st.integers(0, 999), wrong=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_a_number_that_is_not_finite_is_refused_where_it_is_read(seed, wrong):
    rng = np.random.default_rng(seed)
    batch = batch_of(SPEC, (2, 3, 2, 4), seed)
    batch["context_status"] = rng.integers(0, 3, batch["context_status"].shape).astype(np.int32)
    masks = {
        "context_design": batch["context_mask"][..., None],
        "context_outcome": batch["context_mask"][..., None] & (batch["context_status"] == 1),
        "known_theta": batch["known_mask"],
        "target_design": batch["target_mask"][..., None],
        "candidate_design": batch["candidate_mask"][..., None],
    }
    name = rng.choice(list(masks))
    place = tuple(rng.integers(size) for size in batch[name].shape)
    batch[name][place] = wrong
    if masks[name][place]:
        with pytest.raises(InputError, match=f"expected finite numbers in {name} where"):
            packed(batch, SPEC, free_sizes(batch))
    else:
        assert packed(batch, SPEC, free_sizes(batch)).size
