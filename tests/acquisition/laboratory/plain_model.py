"""A session's model in plain NumPy, for tests of what is around a session."""

import numpy as np

from aline_tf.models.protocol import QUANTILE_LEVELS
from aline_tf.spec import Channel, Parameter, TaskSpec

YES = Channel("yes", "binary")
SPEC = TaskSpec(
    name="seen",
    design_names=("stimulus",),
    design_low=(-5.0,),
    design_high=(5.0,),
    fields=(YES,),
    outcomes=(YES,),
    parameters=(Parameter("threshold", low=-3.0, high=3.0), Parameter("lapse", low=0.0, high=0.5)),
    horizon=10,
)


class PlainModel:
    """Knows more with every answer, and asks near -2 for the first parameter, near 3 for others."""

    def __init__(self, spec=SPEC):
        self.spec = spec

    def answer(self, batch):
        """See `aline_tf.models.protocol.SessionModel`."""
        rows, asked = batch["context_mask"].shape[0], batch["context_mask"].sum()
        heard = 0.1 * batch["context_outcome"].sum()
        found = {}
        for name, count in (
            ("theta", len(self.spec.parameters)),
            ("target", batch["target_design"].shape[1]),
        ):
            mean, sd = np.full((rows, count), 0.2 + heard), np.full((rows, count), 1 / (2 + asked))
            spread = np.linspace(-2.0, 2.0, len(QUANTILE_LEVELS))
            found |= {
                f"{name}_mean": mean,
                f"{name}_sd": sd,
                f"{name}_quantiles": mean[..., None] + sd[..., None] * spread,
                f"{name}_probability": np.ones((rows, count)),
            }
        return found

    def candidate_logits(self, batch):
        """See `aline_tf.models.protocol.SessionModel`."""
        after_first = batch["theta_mask"][:, :1].any(axis=1, keepdims=True)
        scores = -np.square(batch["candidate_design"][..., 0] - np.where(after_first, -2.0, 3.0))
        return np.where(batch["candidate_mask"], scores, -1e9)
