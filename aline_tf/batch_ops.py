"""Edits of batches: context tokens, the pool, what is known, rows.

Every function takes a Batch or an Episode (see `aline_tf.batch` for fields and letters) and returns
a new one of the fields it was given; none changes its input. Batches of numpy arrays stay numpy and
need no TensorFlow; where any array that is touched is a tensor, the results are tensors, in a graph
or outside of one.

    acquire a candidate    extend_context, then append_candidate and take_candidate at each step
    a token of one's own   append, write_token, one_field; append_pool for many at once
    the pool               narrow, drop_candidates, take_candidate, outcomes_at
    what is known          condition_on
    rows                   repeat, take_rows, map_rows, stack, pad, cut_context, from_history
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from aline_tf.batch import BATCH_FIELDS, EPISODE_FIELDS, OBSERVED, empty_batch, field_dtype

#: Rows of one forward pass: bounds the memory of the attention weights.
ROWS_AT_ONCE = 256
#: What acquiring a candidate carries from the pool into the context.
ACQUIRED = {
    "context_design": "candidate_design",
    "context_outcome": "candidate_outcome",
    "context_status": "candidate_status",
}
_PLAIN = (np.ndarray, np.generic, int, float, bool, list, tuple, type(None))


def extend_context(batch: Mapping[str, Any], room: int) -> dict:
    """The batch with room for `room` more context tokens, masked out: capacity C + room.

    Args:
        batch: B rows.
        room: how many, not negative.
    """
    return pad(batch, C=room)


def pad(batch: Mapping[str, Any], **room: int) -> dict:
    """The batch with more places of the letters C, M or N, masked out.

    Args:
        batch: B rows.
        **room: how many more of each letter; what is masked out is invisible to the model.
    """
    padded = dict(batch)
    for name, array in batch.items():
        letters = EPISODE_FIELDS.get(name, ("B",))
        count = room.get(letters[1], 0) if len(letters) > 1 else 0
        if not count:
            continue
        if _all_numpy(array):
            places = [(0, 0), (0, count), *[(0, 0)] * (array.ndim - 2)]
            padded[name] = np.pad(array, places)
        else:
            tf = _tensorflow()
            block = tf.zeros([tf.shape(array)[0], count, *array.shape[2:]], array.dtype)
            padded[name] = tf.concat([array, block], axis=1)
    return padded


def cut_context(batch: Mapping[str, Any], size: int) -> dict:
    """The batch with its first `size` context places alone: attention is paid for by length."""
    return dict(batch) | {
        name: array[:, :size]
        for name, array in batch.items()
        if EPISODE_FIELDS.get(name, ("",))[1:2] == ("C",)
    }


def write_token(
    batch: Mapping[str, Any], position, design, outcome, status=OBSERVED, where=None
) -> dict:
    """The batch with one token in context place `position` of every row.

    Args:
        batch: B rows with a free place there.
        position: int, in [0, C).
        design: [B, D].
        outcome: [B, F], in natural units.
        status: int32 [B, F], or one status for all fields.
        where: bool [B], rows in which the token counts; in others it is masked out. All when None.
    """
    new = {"context_design": design, "context_outcome": outcome, "context_status": status}
    written = dict(batch)
    mask = batch["context_mask"]
    if _all_numpy(position, mask, where, *new.values(), *(batch[name] for name in new)):
        for name, value in new.items():
            written[name] = batch[name].copy()
            written[name][:, position] = value
        written["context_mask"] = mask.copy()
        written["context_mask"][:, position] |= True if where is None else where
        return written
    tf = _tensorflow()
    slot = tf.range(tf.shape(mask)[1]) == position
    for name, value in new.items():
        value = tf.cast(value, field_dtype(name))
        value = value if value.shape.rank == 0 else value[:, None]
        written[name] = tf.where(slot[None, :, None], value, batch[name])
    taken = slot if where is None else slot & tf.convert_to_tensor(where)[:, None]
    written["context_mask"] = mask | taken
    return written


def append(batch: Mapping[str, Any], design, outcome, status=OBSERVED) -> dict:
    """The batch with one context token more, at the end: capacity C + 1.

    Args:
        batch: B rows.
        design: [B, D].
        outcome: [B, F], in natural units.
        status: int32 [B, F], or one status for all fields.
    """
    place = batch["context_mask"].shape[1]
    if place is None:
        place = _tensorflow().shape(batch["context_mask"])[1]
    return write_token(extend_context(batch, 1), place, design, outcome, status)


def one_field(field, value, count: int, status: int = OBSERVED) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and status of tokens that carry one field each, the others missing.

    Args:
        field: int [B], which one.
        value: [B], in natural units.
        count: F.
        status: of that field.

    Returns:
        (outcome float32 [B, F], status int32 [B, F]).
    """
    place = np.eye(count, dtype=bool)[np.asarray(field)]
    outcome = np.where(place, np.asarray(value)[:, None], 0.0).astype(np.float32)
    return outcome, np.where(place, status, 0).astype(np.int32)


def append_candidate(episode: Mapping[str, Any], position, index, where=None) -> dict:
    """The episode after candidate `index` was acquired into context place `position`.

    Only the context changes; `take_candidate` takes it from the pool.

    Args:
        episode: B rows, whose recorded pool says what each candidate reveals.
        position: int, in [0, C).
        index: int32 [B].
        where: bool [B], rows that acquire anything; all when None.
    """
    sources = [episode[source] for source in ACQUIRED.values()]
    if _all_numpy(index, *sources):
        new = [array[np.arange(len(array)), index] for array in sources]
    else:
        tf = _tensorflow()
        new = [tf.gather(array, index, batch_dims=1) for array in sources]
    return write_token(episode, position, *new, where=where)


def append_pool(episode: Mapping[str, Any], where) -> dict:
    """The episode after every candidate was acquired, in order: capacity C + N.

    Only the context changes.

    Args:
        episode: B rows, whose recorded pool says what each candidate reveals.
        where: bool [B, N], candidates that count; the tokens of others are masked out.
    """
    parts = {context: (episode[context], episode[pool]) for context, pool in ACQUIRED.items()}
    parts["context_mask"] = episode["context_mask"], where
    plain = _all_numpy(*(array for pair in parts.values() for array in pair))
    concat = np.concatenate if plain else _tensorflow().concat
    return dict(episode) | {name: concat(pair, axis=1) for name, pair in parts.items()}


def narrow(batch: Mapping[str, Any], index) -> dict:
    """The batch with its pool narrowed to the candidates `index`, in that order.

    Args:
        batch: B rows.
        index: int32 [B, n], or [n] or a slice for the same ones in every row.
    """
    if isinstance(index, slice):
        return dict(batch) | {name: batch[name][:, index] for name in _of_pool(batch)}
    index = np.asarray(index, np.int32) if _all_numpy(index) else index
    rank = len(index.shape)

    def picked(array):
        if not _all_numpy(array, index):
            return _tensorflow().gather(array, index, axis=1, batch_dims=rank - 1)
        return array[:, index] if rank == 1 else array[np.arange(len(array))[:, None], index]

    return dict(batch) | {name: picked(batch[name]) for name in _of_pool(batch)}


def drop_candidates(batch: Mapping[str, Any]) -> dict:
    """The batch with an empty pool: inference alone, which does not depend on it."""
    return narrow(batch, slice(0))


def take_candidate(batch: Mapping[str, Any], index) -> dict:
    """The batch with candidate `index` [B] masked out of the pool."""
    mask = batch["candidate_mask"]
    if _all_numpy(mask, index):
        left = mask.copy()
        left[np.arange(len(left)), index] = False
    else:
        tf = _tensorflow()
        left = mask & ~tf.cast(tf.one_hot(index, tf.shape(mask)[1]), tf.bool)
    return dict(batch) | {"candidate_mask": left}


def outcomes_at(batch: Mapping[str, Any], design) -> dict:
    """The batch that asks for the outcome at each of these designs, and for nothing else new: they
    are its predictive targets, none of them selected.

    Args:
        batch: B rows.
        design: [B, M, D], such as the `candidate_design` of a pool.
    """
    if _all_numpy(design):
        mask = np.zeros(design.shape[:2], bool)
    else:
        mask = _tensorflow().zeros_like(design[..., 0], "bool")
    return dict(batch) | {"target_design": design, "target_mask": mask}


def condition_on(batch: Mapping[str, Any], theta, which) -> dict:
    """The batch with more parameters given as known; those known before keep their values.

    Args:
        batch: B rows.
        theta: [B, P] values.
        which: bool [P] or [B, P], the parameters to take from `theta`.
    """
    known, values = batch["known_mask"], batch["known_theta"]
    if _all_numpy(known, values, theta, which):
        fresh = np.asarray(which, bool) & ~known
        values = np.where(fresh, np.asarray(theta, np.float32), values)
    else:
        tf = _tensorflow()
        fresh = tf.convert_to_tensor(which) & ~tf.convert_to_tensor(known)
        values = tf.where(fresh, tf.cast(theta, tf.float32), values)
    return dict(batch) | {"known_theta": values, "known_mask": known | fresh}


def repeat(batch: Mapping[str, Any], times: int) -> dict:
    """Each row `times` times in succession: [B, ...] -> [B * times, ...]."""
    return {
        name: np.repeat(array, times, axis=0)
        if _all_numpy(array)
        else _tensorflow().repeat(array, times, axis=0)
        for name, array in batch.items()
    }


def take_rows(batch: Mapping[str, Any], rows) -> dict:
    """Some rows of the batch.

    Args:
        batch: B rows.
        rows: a slice, or int [R] positions.
    """
    if isinstance(rows, slice) or _all_numpy(*batch.values()):
        return {name: array[rows] for name, array in batch.items()}
    return {name: _tensorflow().gather(array, rows) for name, array in batch.items()}


def stack(batches: Sequence[Mapping[str, Any]]) -> dict:
    """Rows of several numpy batches as one, padded to the longest context, pool and target list.

    Args:
        batches: at least one; only the fields of a Batch are taken.
    """
    sizes = [
        {
            letters[1]: batch[name].shape[1]
            for name, letters in BATCH_FIELDS.items()
            if letters[1] in "CMN"
        }
        for batch in batches
    ]
    longest = {letter: max(own[letter] for own in sizes) for letter in "CMN"}
    wide = [
        pad(
            {name: np.asarray(batch[name]) for name in BATCH_FIELDS},
            **{letter: longest[letter] - size for letter, size in own.items()},
        )
        for batch, own in zip(batches, sizes, strict=True)
    ]
    return {name: np.concatenate([batch[name] for batch in wide]) for name in BATCH_FIELDS}


def map_rows(function: Callable[[dict], Mapping[str, Any]], batch: Mapping[str, Any]) -> dict:
    """Outputs of a function of a numpy batch, `ROWS_AT_ONCE` rows at a time, so that memory does
    not grow with their number.

    Args:
        function: a model, or any other that maps a Batch of R rows to a dict of [R, ...].
        batch: B rows; only the fields of a Batch are handed on.

    Returns:
        dict of numpy arrays [B, ...].
    """
    batch = {name: batch[name] for name in BATCH_FIELDS}
    parts = []
    for start in range(0, len(batch["context_mask"]), ROWS_AT_ONCE):
        made = function(take_rows(batch, slice(start, start + ROWS_AT_ONCE)))
        parts.append({name: np.asarray(array) for name, array in made.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def from_history(sizes: Mapping[str, int], design, outcome, step: int | None = None) -> dict:
    """A numpy batch of fully observed histories.

    Args:
        sizes: the task's D, F and P, and N if a pool is to come; M and N are 0 otherwise.
        design: [B, C, D].
        outcome: [B, C, F], in natural units.
        step: how many of the C tokens have been seen; all when None.
    """
    design = np.asarray(design, np.float32)
    batch = empty_batch(dict(sizes) | {"B": len(design), "C": design.shape[1]})
    batch["context_design"][:] = design
    batch["context_outcome"][:] = outcome
    batch["context_status"][:] = OBSERVED
    batch["context_mask"][:, :step] = True
    return batch


def _of_pool(batch):
    return [name for name in batch if EPISODE_FIELDS.get(name, ("",))[1:2] == ("N",)]


def _all_numpy(*arrays) -> bool:
    """Whether none is a tensor; numbers and lists go with either kind."""
    return all(isinstance(array, _PLAIN) for array in arrays)


def _tensorflow():
    """TensorFlow, imported only by those who have tensors already."""
    import tensorflow

    return tensorflow
