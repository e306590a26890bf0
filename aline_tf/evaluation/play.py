"""The acquisition loop of every evaluation: choose, reveal, append, mask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from aline_tf import batch_ops
from aline_tf.acquisition.policies import Policy
from aline_tf.batch import BATCH_FIELDS, OBSERVED


def play(
    policy: Policy,
    batch: Mapping[str, np.ndarray],
    reveal: Callable[[int, np.ndarray], np.ndarray] | None,
    horizon: int,
    first: int = 0,
    replace: bool = False,
) -> Iterator[dict[str, np.ndarray]]:
    """Lets a policy acquire T candidates in every row, all rows in step.

    Args:
        policy: chooses; see `Policy.choose`.
        batch: a numpy Batch of B rows with a pool; T more tokens get room. It stays as it is.
        reveal: (step t in 0..T-1, index [B] of the chosen candidates) -> outcomes [B, F] of them;
            None where `batch` is an Episode, whose pool says what each candidate reveals.
        horizon: T.
        first: context place of the first acquired token; places from there on must be free.
        replace: whether a candidate may be chosen again.

    Yields:
        the Batch before each of the T choices and after the last. What the caller changes in it
        before going on, such as the selected targets, is what the policy sees.

    Raises:
        InputError: a row has no candidate left.

    Example:
        >>> import numpy as np
        >>> from aline_tf.acquisition import RandomPolicy
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.evaluation.play import play
        >>> batch = empty_batch({"B": 2, "C": 0, "D": 1, "F": 1, "P": 1, "N": 4})
        >>> batch["candidate_mask"][:] = True
        >>> states = list(play(RandomPolicy(0), batch, lambda t, index: np.ones((2, 1)), horizon=3))
        >>> len(states), int(states[-1]["candidate_mask"].sum(1)[0])
        (4, 1)
    """
    episode, batch = batch, {name: batch[name] for name in BATCH_FIELDS if name in batch}
    room = first + horizon - batch["context_mask"].shape[1]
    if room > 0:
        batch = batch_ops.extend_context(batch, room)
    rows = np.arange(len(batch["candidate_mask"]))
    for t in range(horizon):
        yield batch
        index = policy.choose(batch)
        design = batch["candidate_design"][rows, index]
        if reveal is None:
            outcome, status = (
                episode[f"candidate_{part}"][rows, index] for part in ("outcome", "status")
            )
        else:
            outcome, status = reveal(t, index), OBSERVED
        batch = batch_ops.write_token(batch, first + t, design, outcome, status)
        if not replace:
            batch = batch_ops.take_candidate(batch, index)
    yield batch


def play_through(*args, **kwargs) -> dict[str, np.ndarray]:
    """The Batch after the last choice; arguments as of `play`."""
    *_, last = play(*args, **kwargs)
    return last
