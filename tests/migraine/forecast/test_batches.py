"""Batches put together: padding, tokens, known parameters, and the input left as it was."""

import numpy as np

from aline_tf.batch import BATCH_FIELDS, empty_batch
from aline_tf.migraine.forecast import batches

SIZES = {"B": 2, "C": 3, "M": 2, "N": 4, "P": 5, "D": 6, "F": 7}


def filled(**sizes) -> dict:
    """A batch of the given sizes with every entry different from its neighbours."""
    batch = empty_batch(SIZES | sizes)
    for table in batch.values():
        table[...] = (np.arange(table.size) % (2 if table.dtype == bool else 1000)).reshape(
            table.shape
        )
    return batch


def test_repeat_keeps_the_copies_of_a_row_together():
    batch = filled()
    repeated = batches.repeat(batch, 3)
    for name in BATCH_FIELDS:
        np.testing.assert_array_equal(repeated[name][3:], np.stack([batch[name][1]] * 3))


def test_stack_pads_what_is_shorter_with_masked_places():
    short, long = filled(C=1, N=2), filled()
    stacked = batches.stack([short, long])
    assert stacked["context_design"].shape == (4, 3, 6)
    np.testing.assert_array_equal(stacked["context_design"][:2, :1], short["context_design"])
    assert not stacked["context_mask"][:2, 1:].any()
    assert not stacked["candidate_mask"][:2, 2:].any()
    np.testing.assert_array_equal(stacked["candidate_mask"][2:], long["candidate_mask"])


def test_token_carries_one_observed_field():
    batch = filled()
    more = batches.with_token(batch, np.full([2, 6], 0.5), np.array([1, 4]), np.array([8.0, 9.0]))
    assert more["context_mask"].shape == (2, 4) and more["context_mask"][:, 3].all()
    np.testing.assert_array_equal(more["context_outcome"][:, 3].nonzero(), ([0, 1], [1, 4]))
    np.testing.assert_array_equal(more["context_status"][:, 3].sum(axis=1), [1, 1])
    assert more["context_outcome"][1, 3, 4] == 9.0
    assert batch["context_mask"].shape == (2, 3)


def test_parameters_known_before_keep_their_value():
    batch = empty_batch(SIZES)
    batch["known_theta"][:, 0], batch["known_mask"][:, 0] = 3.0, True
    more = batches.with_known(batch, np.full([2, 5], 7.0), np.array([1, 1, 0, 0, 0], bool))
    np.testing.assert_array_equal(more["known_theta"][0], [3.0, 7.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(more["known_mask"][1], [True, True, False, False, False])
    assert batch["known_mask"].sum() == 2


def test_many_rows_give_the_same_outputs_in_portions(model, evening, monkeypatch):
    rows = batches.repeat(evening[0], 5)
    whole = batches.call(model, rows)
    monkeypatch.setattr(batches, "ROWS_AT_ONCE", 2)
    for name, table in batches.call(model, rows).items():
        np.testing.assert_allclose(table, whole[name], atol=1e-5)
