"""What the served signatures take and give: the one table that export, server and client share.

Every input is a field of a Batch (`aline_tf.batch`), under the same name, with the same letters
for its sizes. B, C, M and N are free in every request, and C, M and N may be 0.

    signature   takes                                         gives
    predict     context, known parameters, target designs     outcomes at the target designs
    infer       context, known parameters                     posterior of every parameter
    propose     context, known parameters, selected targets,  scores over the candidates and the
                candidates                                    chosen index
    step        what propose takes                            all three at once

`serving_default`, the signature of a request that names none, is `step`.

    output                 shape          of
    mean, sd               [B, M]         predict, step: outcomes at the target designs, in their
                                          own units (the mean of a binary one is its probability)
    quantiles              [B, M, Q]      their quantiles, at QUANTILE_LEVELS
    theta_mean, theta_sd   [B, P]         infer, step: the parameters, in their own units
    theta_probability      [B, P]         that a binary one is 1, that a spike-and-slab one is not
                                          0; 1 for the others
    theta_quantiles        [B, P, Q]      their quantiles, at QUANTILE_LEVELS
    scores                 [B, N]         propose, step: logits of the policy; about -1e9 where
                                          `candidate_mask` is False
    probabilities          [B, N]         their softmax over the allowed candidates, else 0
    index                  [B] int32      the allowed candidate of the highest score, -1 if none
    entropy                [B]            of `probabilities`, in nats

Every output has the batch as its first size, so that a server may batch requests together.
"""

from aline_tf.batch import BATCH_FIELDS
from aline_tf.models.protocol import QUANTILE_LEVELS as QUANTILE_LEVELS

CONTEXT = ("context_design", "context_outcome", "context_status", "context_mask")
KNOWN = ("known_theta", "known_mask")
TARGETS = ("theta_mask", "target_design", "target_mask")
CANDIDATES = ("candidate_design", "candidate_mask")

SIGNATURES: dict[str, tuple[str, ...]] = {
    "predict": (*CONTEXT, *KNOWN, "target_design"),
    "infer": (*CONTEXT, *KNOWN),
    "propose": (*CONTEXT, *KNOWN, *TARGETS, *CANDIDATES),
    "step": (*CONTEXT, *KNOWN, *TARGETS, *CANDIDATES),
}
DEFAULT_SIGNATURE = "step"
SERVING_DEFAULT = "serving_default"

#: Letters whose size the request chooses; the others (D, F, P) belong to the task.
FREE_LETTERS = ("B", "C", "M", "N")


def free_shape(name: str, sizes: dict[str, int]) -> list[int | None]:
    """The shape of input `name`, None where the request chooses the size.

    Args:
        name: a field of a Batch.
        sizes: the task's D, F and P.
    """
    return [None if letter in FREE_LETTERS else sizes[letter] for letter in BATCH_FIELDS[name]]
