"""The one shape glossary: what a `Batch` and an `Episode` hold.

A batch is a plain dict of tensors, so that Keras, tf.data and served signatures share it.
Capital letters have one meaning in the whole package:

    B batch rows            T horizon (acquisitions)      C context tokens (capacity)
    D design dimensions     F outcome fields of a token   N candidates
    M predictive targets    P parameters                  K mixture components
    E width of a token      H raw head outputs            Q quantile levels

Batch fields (float32 unless said otherwise):

    context_design   [B, C, D]        where or when each context token was measured
    context_outcome  [B, C, F]        what was measured, in natural units; ignored unless observed
    context_status   [B, C, F] int32  MISSING, OBSERVED or NO_ANSWER, field by field
    context_mask     [B, C]    bool   False marks padding
    known_theta      [B, P]           values of parameters that are given as known
    known_mask       [B, P]    bool   which of them are given
    theta_mask       [B, P]    bool   parameter targets selected in this row
    target_design    [B, M, D]        inputs whose outcomes may be wanted
    target_mask      [B, M]    bool   predictive targets selected in this row
    candidate_design [B, N, D]        the pool
    candidate_mask   [B, N]    bool   False marks padding and candidates already taken

An episode is a batch plus what only its simulator (or recorder) knows:

    theta             [B, P]           true parameters
    theta_observed    [B, P]    bool   whether that truth is recorded (always, when simulated)
    target_outcome    [B, M]           outcomes at `target_design`
    target_observed   [B, M]    bool   whether that outcome is recorded
    candidate_outcome [B, N, F]        what acquiring a candidate reveals
    candidate_status  [B, N, F] int32  and with which status
    candidate_cost    [B, N]           burden, in units of one prompt

Acquiring a candidate appends one token to the context: its design, its fields, their status.
Padding is invisible to the model and the order of the context does not matter.
"""

from __future__ import annotations

MISSING, OBSERVED, NO_ANSWER = 0, 1, 2

#: Fields of a Batch: rank and whether they are boolean masks, floats or status integers.
BATCH_FIELDS = {
    "context_design": ("B", "C", "D"),
    "context_outcome": ("B", "C", "F"),
    "context_status": ("B", "C", "F"),
    "context_mask": ("B", "C"),
    "known_theta": ("B", "P"),
    "known_mask": ("B", "P"),
    "theta_mask": ("B", "P"),
    "target_design": ("B", "M", "D"),
    "target_mask": ("B", "M"),
    "candidate_design": ("B", "N", "D"),
    "candidate_mask": ("B", "N"),
}
EPISODE_FIELDS = BATCH_FIELDS | {
    "theta": ("B", "P"),
    "theta_observed": ("B", "P"),
    "target_outcome": ("B", "M"),
    "target_observed": ("B", "M"),
    "candidate_outcome": ("B", "N", "F"),
    "candidate_status": ("B", "N", "F"),
    "candidate_cost": ("B", "N"),
}


def field_dtype(name: str) -> str:
    """The dtype of a batch or episode field, as a string numpy and TensorFlow understand."""
    if name.endswith(("_mask", "_observed")):
        return "bool"
    return "int32" if name.endswith("_status") else "float32"


def empty_batch(sizes: dict[str, int]) -> dict:
    """A numpy batch of zeros (nothing known, nothing asked).

    Args:
        sizes: size of each letter of the glossary; B and C, M, N default to 1 and 0.

    Returns:
        dict of arrays with every field of a Batch.
    """
    import numpy as np

    sizes = {"B": 1, "C": 0, "M": 0, "N": 0} | sizes
    return {
        name: np.zeros([sizes[letter] for letter in letters], field_dtype(name))
        for name, letters in BATCH_FIELDS.items()
    }
