"""Shortlisted look-ahead: expected gains of the policy's first proposals, the best one chosen.

The policy proposes a few prompts in one pass; of these, the one whose answer the model expects to
tell most (see `aline_tf.information.look_ahead`) is chosen.
"""

from __future__ import annotations

import numpy as np

from aline_tf import batch_ops
from aline_tf.batch import BATCH_FIELDS, OBSERVED
from aline_tf.information.look_ahead import look_ahead_gain

#: Proposals that are measured.
PROPOSALS = 6
#: Rows times proposals at once: each becomes one row for every answer.
_TRIED_AT_ONCE = 120
#: Of the levels at which continuous answers are tried: equal histories give equal choices.
_SEED = (1, 2)


def best_proposals(
    model, batch: dict, field: np.ndarray, count: int = PROPOSALS, cost_weight: float = -np.inf
) -> np.ndarray:
    """The candidate, of the policy's first `count`, that is expected to tell most.

    Args:
        model: a migraine model, or a `Compiled`.
        batch: a Batch of S rows, each with at least one candidate.
        field: int [N], the field of a day that each candidate fills.
        count: 1 to N.
        cost_weight: nats per selected target that an answer has to be worth.

    Returns:
        int [S], positions in the pool; -1 where no proposal is expected to tell as
        much as `cost_weight`.
    """
    proposals, gain = proposal_gains(model, batch, field, count)
    chosen = proposals[np.arange(len(proposals)), gain.argmax(axis=1)]
    return np.where(gain.max(axis=1) >= cost_weight, chosen, -1)


def proposal_gains(
    model, batch: dict, field: np.ndarray, count: int = PROPOSALS
) -> tuple[np.ndarray, np.ndarray]:
    """The policy's first `count` proposals, and what each is expected to tell.

    Args:
        model, batch, field, count: as for `best_proposals`.

    Returns:
        (positions in the pool, int [S, count]; nats per selected target [S, count], -inf where the
        candidate is not allowed).
    """
    score = batch_ops.map_rows(model, batch)["candidate_logits"]
    proposals = np.argsort(-score, axis=1, kind="stable")[:, :count].astype(np.int32)
    # Room for the answer that is tried.
    state = batch_ops.extend_context({name: np.asarray(batch[name]) for name in BATCH_FIELDS}, 1)
    rows, fields = len(proposals), batch["context_status"].shape[2]
    portion = max(_TRIED_AT_ONCE // count, 1)
    place = np.eye(fields, dtype=np.int32)[field]
    state["candidate_status"] = np.broadcast_to(OBSERVED * place, (rows, *place.shape))
    state["candidate_outcome"] = np.zeros(state["candidate_status"].shape, np.float32)
    state["candidate_cost"] = np.ones(score.shape, np.float32)
    gain = np.concatenate(
        [
            look_ahead_gain(
                model,
                batch_ops.take_rows(state, slice(first, first + portion)),
                proposals[first : first + portion],
                _SEED,
            )
            for first in range(0, rows, portion)
        ]
    )
    allowed = np.take_along_axis(batch["candidate_mask"], proposals, axis=1)
    return proposals, np.where(allowed, gain, -np.inf)
