"""Acquisition policies under comparison: the learned one, at random, and the evening diary."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aline_tf.migraine.schema.candidates import LIBRARY, NOW_SLOT, Candidate
from aline_tf.migraine.schema.channels import OUTCOMES, SLOTS
from aline_tf.migraine.schema.designs import CAPACITY, DESIGN_NAMES

POLICIES = ("aline", "random", "evening diary")
#: What a paper diary asks every evening; when all is known, yesterday and the rest of the library.
EVENING_DIARY = tuple(
    Candidate(name, 0, NOW_SLOT) for name in ("attack", "pain", "stress", "prodrome", "medication")
)
_DIARY_ORDER = {
    candidate: place for place, candidate in enumerate(dict.fromkeys(EVENING_DIARY + LIBRARY))
}
_FIRST_SLOT = DESIGN_NAMES.index("slot_0")

#: From the learned policy's logits [B, N], had by calling the first argument, and which candidates
#: are left, bool [B, N], to scores [B, N] or [1, N].
Scorer = Callable[[Callable[[], np.ndarray], np.ndarray], np.ndarray]


def scorer(policy: str, design: np.ndarray, generator: np.random.Generator) -> Scorer:
    """How a policy scores candidates; the highest one that is left is acquired.

    Args:
        policy: one of `POLICIES`.
        design: [B, N, D] of the candidates, or [1, N, D] where they are the same for all.
        generator: of the random policy.

    Raises:
        ValueError: no such policy.
    """
    if policy == "aline":
        return lambda logits, left: logits()
    if policy == "random":
        return lambda logits, left: generator.random(left.shape)
    if policy == "evening diary":
        score = -diary_place(np.asarray(design))
        return lambda logits, left: score
    raise ValueError(f"Expected a policy of {POLICIES}. Received: policy={policy!r}")


def choose(score: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Position of the highest score among the candidates that are left; -1 where none is.

    Args:
        score: [B, N] or [1, N].
        left: bool [B, N].

    Returns:
        int [B].
    """
    chosen = np.where(left, score, -np.inf).argmax(axis=1)
    return np.where(left.any(axis=1), chosen, -1)


def diary_place(design: np.ndarray) -> np.ndarray:
    """Place of candidates in the fixed order of the evening diary, from their designs [B, N, D]."""
    days_ago = np.rint(design[..., 0] * CAPACITY).astype(int)
    slots = design[..., _FIRST_SLOT : _FIRST_SLOT + SLOTS]
    slot = np.where(slots.any(axis=-1), slots.argmax(axis=-1), -1)
    channel = design[..., -len(OUTCOMES) :].argmax(axis=-1)
    known = {(c.outcome, c.days_ago, c.slot): place for c, place in _DIARY_ORDER.items()}
    # Padding of the pool has no place; it is never left to choose.
    last = len(known)
    return np.vectorize(lambda *what: float(known.get(what, last)))(channel, days_ago, slot)
