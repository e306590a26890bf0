"""The algebra of batches, for numpy arrays and tensors alike."""

import functools
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf import batch_ops
from aline_tf.batch import (
    BATCH_FIELDS,
    EPISODE_FIELDS,
    OBSERVED,
    empty_batch,
    field_dtype,
    specs,
)
from aline_tf.models.aline import ALINE
from tests.models.batches import EVERY_KIND, random_batch
from tests.models.batches import SIZES as MODEL_SIZES
from tests.seeds import seed_weights

SIZES = {"B": 2, "C": 3, "M": 2, "N": 4, "P": 5, "D": 6, "F": 7}
QUICK = settings(max_examples=25, deadline=None)


def filled(fields=BATCH_FIELDS, **sizes) -> dict:
    """A batch of the given sizes with every entry different from its neighbours."""
    sizes = SIZES | sizes
    batch = {}
    for name, letters in fields.items():
        shape = [sizes[letter] for letter in letters]
        dtype = field_dtype(name)
        numbers = np.arange(np.prod(shape, dtype=int))
        numbers = numbers % {"bool": 2, "int32": 3}.get(dtype, 1000)
        batch[name] = numbers.reshape(shape).astype(dtype)
    return batch


def random_episode(seed: int, **sizes) -> dict:
    rng = np.random.default_rng(seed)
    sizes = SIZES | sizes
    episode = {}
    for name, letters in EPISODE_FIELDS.items():
        shape, dtype = [sizes[letter] for letter in letters], field_dtype(name)
        high = {"bool": 2, "int32": 3}.get(dtype)
        made = rng.standard_normal(shape) if high is None else rng.integers(high, size=shape)
        episode[name] = made.astype(dtype)
    return episode


def tensors(batch: dict) -> dict:
    return {name: tf.constant(array) for name, array in batch.items()}


def assert_same(first: dict, second: dict) -> None:
    assert list(first) == list(second)
    for name in first:
        one, two = np.asarray(first[name]), np.asarray(second[name])
        assert one.dtype == two.dtype, name
        np.testing.assert_array_equal(one, two, err_msg=name)


def test_repeat_keeps_the_copies_of_a_row_together():
    batch = filled()
    repeated = batch_ops.repeat(batch, 3)
    for name in BATCH_FIELDS:
        np.testing.assert_array_equal(repeated[name][3:], np.stack([batch[name][1]] * 3))


def test_stack_pads_what_is_shorter_with_masked_places():
    short, long = filled(C=1, N=2), filled()
    stacked = batch_ops.stack([short, long])
    assert stacked["context_design"].shape == (4, 3, 6)
    np.testing.assert_array_equal(stacked["context_design"][:2, :1], short["context_design"])
    assert not stacked["context_mask"][:2, 1:].any()
    assert not stacked["candidate_mask"][:2, 2:].any()
    np.testing.assert_array_equal(stacked["candidate_mask"][2:], long["candidate_mask"])


def test_token_carries_one_observed_field():
    batch = filled()
    outcome, status = batch_ops.one_field(np.array([1, 4]), np.array([8.0, 9.0]), SIZES["F"])
    more = batch_ops.append(batch, np.full([2, 6], 0.5), outcome, status)
    assert more["context_mask"].shape == (2, 4) and more["context_mask"][:, 3].all()
    np.testing.assert_array_equal(more["context_outcome"][:, 3].nonzero(), ([0, 1], [1, 4]))
    np.testing.assert_array_equal(more["context_status"][:, 3].sum(axis=1), [1, 1])
    assert more["context_outcome"][1, 3, 4] == 9.0
    assert batch["context_mask"].shape == (2, 3)


def test_parameters_known_before_keep_their_value():
    batch = empty_batch(SIZES)
    batch["known_theta"][:, 0], batch["known_mask"][:, 0] = 3.0, True
    more = batch_ops.condition_on(batch, np.full([2, 5], 7.0), np.array([1, 1, 0, 0, 0], bool))
    np.testing.assert_array_equal(more["known_theta"][0], [3.0, 7.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(more["known_mask"][1], [True, True, False, False, False])
    assert batch["known_mask"].sum() == 2


INDEX = np.array([3, 1], np.int32)
NARROW = np.array([[3, 1, 1], [0, 2, 3]], np.int32)
WHICH = np.array([True, True, False, False, True])
WHERE = np.array([True, False])
EDITS = {
    "extend_context": lambda b, as_: batch_ops.extend_context(b, 2),
    "pad": lambda b, as_: batch_ops.pad(b, C=1, M=2, N=3),
    "cut_context": lambda b, as_: batch_ops.cut_context(b, 2),
    "write_token": lambda b, as_: batch_ops.write_token(
        b, 1, b["candidate_design"][:, 0], b["candidate_outcome"][:, 1], where=as_(WHERE)
    ),
    "append": lambda b, as_: batch_ops.append(
        b, b["candidate_design"][:, 0], b["candidate_outcome"][:, 1], b["candidate_status"][:, 2]
    ),
    "append_candidate": lambda b, as_: batch_ops.append_candidate(b, 2, as_(INDEX)),
    "append_pool": lambda b, as_: batch_ops.append_pool(b, b["candidate_mask"]),
    "narrow": lambda b, as_: batch_ops.narrow(b, as_(NARROW)),
    "narrow, the same for all": lambda b, as_: batch_ops.narrow(b, as_(INDEX)),
    "drop_candidates": lambda b, as_: batch_ops.drop_candidates(b),
    "narrow, a slice": lambda b, as_: batch_ops.narrow(b, slice(1, 3)),
    "narrow, to none": lambda b, as_: batch_ops.narrow(b, []),
    "take_candidate": lambda b, as_: batch_ops.take_candidate(b, as_(INDEX)),
    "outcomes_at": lambda b, as_: batch_ops.outcomes_at(b, b["candidate_design"]),
    "condition_on": lambda b, as_: batch_ops.condition_on(b, b["theta"], as_(WHICH)),
    "repeat": lambda b, as_: batch_ops.repeat(b, 3),
    "take_rows": lambda b, as_: batch_ops.take_rows(b, as_(np.array([1, 1, 0]))),
    "take_rows, a slice": lambda b, as_: batch_ops.take_rows(b, slice(1, 2)),
}


@functools.cache
def graph_of(edit):
    """One graph for all examples, whose shapes are the same."""
    return tf.function(lambda batch: edit(batch, tf.constant), autograph=False)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@given(seed=st.integers(0, 2**31))
@QUICK
def test_tensors_and_arrays_are_edited_alike(edit, seed):
    episode = random_episode(seed)
    before = {name: array.copy() for name, array in episode.items()}
    plain = edit(episode, np.asarray)
    assert all(isinstance(array, np.ndarray) for array in plain.values())
    assert_same(plain, edit(tensors(episode), tf.constant))
    found = graph_of(edit)(tensors(episode))
    assert_same(plain, dict(zip(plain, map(found.get, plain), strict=True)))
    assert_same(episode, before)


def test_edits_of_arrays_need_no_tensorflow():
    code = (
        "import sys, numpy as np; from aline_tf import batch, batch_ops as ops; "
        "b = batch.empty_batch({'D': 1, 'F': 1, 'P': 2, 'N': 3}); "
        "b = ops.append(b, np.ones([1, 1]), np.ones([1, 1])); "
        "b = ops.stack([ops.narrow(ops.take_candidate(b, np.array([1])), [0, 2]), b]); "
        "b = ops.condition_on(ops.repeat(b, 2), [0.0, 1.0], [True, False]); "
        "sys.exit('tensorflow' in sys.modules or b['candidate_mask'].shape != (4, 3))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


SEEDS, COUNTS = st.integers(0, 2**31), st.integers(0, 4)


@given(SEEDS, st.lists(st.integers(0, 3), max_size=6))
@QUICK
def test_appending_and_narrowing_commute(seed, index):
    episode = random_episode(seed)
    token = [episode["candidate_design"][:, 1], episode["candidate_outcome"][:, 2]]
    one = batch_ops.narrow(batch_ops.append(episode, *token), index)
    assert_same(one, batch_ops.append(batch_ops.narrow(episode, index), *token))


@given(SEEDS, COUNTS, COUNTS)
@QUICK
def test_room_can_be_made_at_once_or_bit_by_bit_and_cut_off_again(seed, first, second):
    episode = random_episode(seed)
    longer = batch_ops.extend_context(batch_ops.extend_context(episode, first), second)
    assert_same(longer, batch_ops.extend_context(episode, first + second))
    assert not longer["context_mask"][:, 3:].any()
    assert_same(batch_ops.cut_context(longer, 3), episode)


@given(SEEDS, st.integers(0, 3), st.integers(0, 2))
@QUICK
def test_a_token_is_appended_or_written_into_room_that_was_made(seed, index, room):
    episode = random_episode(seed)
    index = np.full(2, index)
    written = batch_ops.append_candidate(batch_ops.extend_context(episode, 1 + room), 3, index)
    by_hand = batch_ops.append(
        episode,
        *(episode[f"candidate_{name}"][[0, 1], index] for name in ("design", "outcome", "status")),
    )
    assert_same(written, batch_ops.extend_context(by_hand, room))


@given(SEEDS, st.lists(st.booleans(), min_size=5, max_size=5))
@QUICK
def test_conditioning_is_idempotent_and_keeps_earlier_values(seed, which):
    episode, which = random_episode(seed), np.array(which)
    once = batch_ops.condition_on(episode, episode["theta"], which)
    assert_same(once, batch_ops.condition_on(once, episode["theta"], which))
    assert_same(once, batch_ops.condition_on(once, 7.0 + episode["theta"], which))
    before = episode["known_mask"]
    np.testing.assert_array_equal(once["known_theta"][before], episode["known_theta"][before])
    fresh = which & ~before
    np.testing.assert_array_equal(once["known_theta"][fresh], episode["theta"][fresh])
    np.testing.assert_array_equal(once["known_mask"], before | which)


@given(SEEDS, st.lists(st.tuples(st.integers(1, 3), *[COUNTS] * 3), min_size=1, max_size=4))
@QUICK
def test_rows_of_a_stack_are_the_rows_that_were_stacked(seed, sizes):
    batches = [
        {name: random_episode(seed + k, B=b, C=c, M=m, N=n)[name] for name in BATCH_FIELDS}
        for k, (b, c, m, n) in enumerate(sizes)
    ]
    stacked, start = batch_ops.stack(batches), 0
    for batch, (b, c, m, n) in zip(batches, sizes, strict=True):
        rows = batch_ops.take_rows(stacked, slice(start, start + b))
        cut = batch_ops.narrow(batch_ops.cut_context(rows, c), slice(n))
        cut["target_design"], outside = cut["target_design"][:, :m], cut["target_mask"][:, m:]
        cut["target_mask"] = cut["target_mask"][:, :m]
        assert_same(cut, batch)
        assert not (outside.any() or rows["context_mask"][:, c:].any())
        assert not rows["candidate_mask"][:, n:].any()
        start += b
    assert start == len(stacked["context_mask"])


@given(SEEDS, st.integers(1, 4))
@QUICK
def test_copies_of_rows_are_rows(seed, times):
    episode = random_episode(seed)
    copies = batch_ops.repeat(episode, times)
    for k in range(times):
        assert_same(batch_ops.take_rows(copies, slice(k, None, times)), episode)


@given(SEEDS, st.permutations(range(4)))
@QUICK
def test_taken_candidates_are_masked_and_nothing_else(seed, order):
    episode = random_episode(seed) | {"candidate_mask": np.ones([2, 4], bool)}
    for count, index in enumerate(order, 1):
        episode = batch_ops.take_candidate(episode, np.full(2, index))
        left = np.flatnonzero(episode["candidate_mask"][0])
        assert set(left) == set(range(4)) - set(order[:count])


def test_a_history_is_seen_up_to_a_step():
    design, outcome = np.random.default_rng(0).normal(size=(2, 2, 5, 1))
    batch = batch_ops.from_history({"D": 1, "F": 1, "P": 2, "N": 1}, design, outcome, 3)
    np.testing.assert_array_equal(batch["context_mask"].sum(1), [3, 3])
    np.testing.assert_array_equal(batch["context_design"], design.astype(np.float32))
    assert (batch["context_status"] == OBSERVED).all() and batch["candidate_mask"].shape == (2, 1)
    whole = batch_ops.from_history({"D": 1, "F": 1, "P": 2}, design, outcome)
    assert whole["context_mask"].all()


@pytest.fixture(scope="module")
def model():
    seed_weights(3)
    model = ALINE(EVERY_KIND, **MODEL_SIZES)
    model.build()
    return model


@functools.cache
def _compiled(model):
    return tf.function(model, input_signature=[specs(EVERY_KIND)], autograph=False)


@given(SEEDS, COUNTS, COUNTS, COUNTS)
@settings(max_examples=12, deadline=None)
def test_room_is_invisible_to_a_model(model, seed, tokens, targets, candidates):
    compiled = _compiled(model)
    batch = random_batch(seed)
    answer = compiled(tensors(batch))
    roomy = compiled(tensors(batch_ops.pad(batch, C=tokens, M=targets, N=candidates)))
    for name, raw in answer.items():
        wider = roomy[name].numpy()[tuple(map(slice, raw.shape))]
        np.testing.assert_allclose(wider, raw, rtol=1e-4, atol=1e-4, err_msg=name)


def test_many_rows_give_the_same_outputs_in_portions(model, monkeypatch):
    rows = batch_ops.repeat(random_batch(3), 5)
    whole = batch_ops.map_rows(model, rows)
    monkeypatch.setattr(batch_ops, "ROWS_AT_ONCE", 2)
    for name, table in batch_ops.map_rows(model, rows).items():
        np.testing.assert_allclose(table, whole[name], atol=1e-5)
