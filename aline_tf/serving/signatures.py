"""What the served signatures take and give: the one table that export, server and client share.

Every input is a field of a Batch (`aline_tf.batch`), under the same name, with the same letters
for its sizes. B, C, M and N are free in every request, and C, M and N may be 0.

    signature      takes                                         gives
    predict        context, known parameters, target designs     outcomes at the target designs
    infer          context, known parameters                     posterior of every parameter
    propose        context, known parameters, selected targets,  scores over the candidates and the
                   candidates                                    one chosen: the next question
    step           what propose takes                            all three at once, no quantiles
    answer         what propose takes                            all three at once, with quantiles
    distributions  what propose takes                            what all of these are made of

`serving_default`, the signature of a request that names none, is `step`.

    output                 shape          of
    mean, sd               [B, M]         predict, step, answer: outcomes at the target designs, in
                                          their own units (the mean of a binary one is its
                                          probability)
    quantiles              [B, M, Q]      predict, answer: their quantiles, at QUANTILE_LEVELS
    theta_mean, theta_sd   [B, P]         infer, step, answer: the parameters, in their own units
    theta_probability      [B, P]         that a binary one is 1, that a spike-and-slab one is not
                                          0; 1 for the others
    theta_quantiles        [B, P, Q]      infer, answer: their quantiles, at QUANTILE_LEVELS
    scores                 [B, N]         propose, step, answer: logits of the policy; about -1e9
                                          where `candidate_mask` is False
    probabilities          [B, N]         their softmax over the allowed candidates, else 0
    index                  [B] int32      the allowed candidate of the highest score, -1 if none
    entropy                [B]            of `probabilities`, in nats
    theta_raw, target_raw  [B, P, H],     distributions: the parameters of the distributions, as the
                           [B, M, H']     model's heads give them: what draws, densities and other
                                          quantiles are made of (`aline_tf.models.distributions`)
    candidate_logits       [B, N]         distributions: the policy's, before `candidate_mask`

Every output has the batch as its first size, so that a server may batch requests together. A
server that pads requests to one size does so with the first element of each tensor, and a mask
that begins with True is then True in the padding. How many places of a row are its own is
therefore an input as well, an int32 [B]: beyond `context_count` places of the context, and the
like, masks are False whatever they say. A request may leave counts out, which is to say NO_COUNT:
its masks are read as they are, and where a server has merged it with others it is refused.
"""

from aline_tf.batch import BATCH_FIELDS, field_dtype
from aline_tf.models.protocol import QUANTILE_LEVELS as QUANTILE_LEVELS

CONTEXT = ("context_design", "context_outcome", "context_status", "context_mask")
KNOWN = ("known_theta", "known_mask")
TARGETS = ("theta_mask", "target_design", "target_mask")
CANDIDATES = ("candidate_design", "candidate_mask")

#: Inputs that every request carries.
SIGNATURES: dict[str, tuple[str, ...]] = {
    "predict": (*CONTEXT, *KNOWN, "target_design"),
    "infer": (*CONTEXT, *KNOWN),
    "propose": (*CONTEXT, *KNOWN, *TARGETS, *CANDIDATES),
    "step": (*CONTEXT, *KNOWN, *TARGETS, *CANDIDATES),
    "answer": (*CONTEXT, *KNOWN, *TARGETS, *CANDIDATES),
    "distributions": (*CONTEXT, *KNOWN, *TARGETS, *CANDIDATES),
}
DEFAULT_SIGNATURE = "step"
SERVING_DEFAULT = "serving_default"

#: Count -> the mask whose places it counts.
COUNTED_MASKS = {
    "context_count": "context_mask",
    "target_count": "target_mask",
    "candidate_count": "candidate_mask",
}
#: What a count is where a request leaves it out, in a tensor of one element.
NO_COUNT = -1

#: Outputs with a number for each target or candidate; in a merged batch, for padding too.
OUTPUTS_BY_PLACE = {
    "mean": "M",
    "sd": "M",
    "quantiles": "M",
    "scores": "N",
    "probabilities": "N",
    "target_raw": "M",
    "candidate_logits": "N",
}

#: Letters whose size the request chooses; the others (D, F, P) belong to the task.
FREE_LETTERS = ("B", "C", "M", "N")


def counts(signature: str) -> tuple[str, ...]:
    """The counts of a signature: inputs that a request may leave out."""
    return tuple(
        count for count, mask in COUNTED_MASKS.items() if mask in SIGNATURES.get(signature, ())
    )


def letters(name: str) -> tuple[str, ...]:
    """The sizes of input `name`, a field of a Batch or a count, in letters."""
    return ("B",) if name in COUNTED_MASKS else BATCH_FIELDS[name]


def dtype(name: str) -> str:
    """The dtype of input `name`."""
    return "int32" if name in COUNTED_MASKS else field_dtype(name)


def free_shape(name: str, sizes: dict[str, int]) -> list[int | None]:
    """The shape of input `name`, None where the request chooses the size.

    Args:
        name: a field of a Batch, or a count.
        sizes: the task's D, F and P.
    """
    return [None if letter in FREE_LETTERS else sizes[letter] for letter in letters(name)]
