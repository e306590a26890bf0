"""Active learning with a Gaussian process refitted at each step: the baselines of regression.

    gp-rs     a random candidate                      (its predictions are still the process's)
    gp-us     the largest predictive variance         (uncertainty sampling)
    gp-vr     the largest drop of the mean variance at the target inputs   (variance reduction)
    gp-epig   the largest expected information about outcomes at the target inputs

Each is a function of the batch alone: fits are remembered only to save time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from aline_tf.acquisition.baselines.gp_regression import GPPosterior, GPSettings, fit
from aline_tf.acquisition.policies import Policy, RandomPolicy, masked_argmax
from aline_tf.batch import answered
from aline_tf.errors import InputError


class GPPolicy(Policy):
    """What the four share: one fitted process for each row of a batch.

    Args:
        settings: of the fit; `GPSettings()` when None.

    Example:
        >>> import numpy as np
        >>> from aline_tf.acquisition import GPPolicy
        >>> from aline_tf.batch import empty_batch
        >>> batch = empty_batch({"C": 3, "D": 1, "F": 1, "P": 0, "M": 1})
        >>> batch["context_design"][0, :, 0] = [-1, 0, 1]
        >>> batch["context_outcome"][0, :, 0] = [1, 2, 1]
        >>> batch["context_status"][:], batch["context_mask"][:] = 1, True
        >>> mean, sd = GPPolicy().predict(batch)
        >>> bool(abs(mean[0, 0] - 2) < 0.2)
        True
    """

    reads_known = False

    def __init__(self, settings: GPSettings | None = None):
        self.settings = settings or GPSettings()
        self._fitted: dict[bytes, GPPosterior] = {}

    def posteriors(self, batch: Mapping[str, Any]) -> Iterator[GPPosterior]:
        """The fitted process of each row; rows need one observation of one outcome field.

        Args:
            batch: a Batch of B rows.

        Raises:
            InputError: a row without an observation, or several outcome fields.
        """
        fields = np.shape(batch["context_outcome"])[-1]
        if fields != 1:
            raise InputError(f"expected one outcome field for {self.name}; received {fields}")
        design = np.asarray(batch["context_design"], float)
        outcome = np.asarray(batch["context_outcome"], float)[..., 0]
        seen = answered(batch)
        if not seen.any(axis=1).all():
            raise InputError(
                "expected at least one observation in every row for a Gaussian process; "
                f"received none in row {np.flatnonzero(~seen.any(axis=1))[0]}"
            )
        known, self._fitted = self._fitted, {}
        for x, y, rows in zip(design, outcome, seen, strict=True):
            key = x[rows].tobytes() + y[rows].tobytes()
            self._fitted[key] = known.get(key) or fit(x[rows], y[rows], self.settings)
            yield self._fitted[key]

    def predict(self, batch: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the outcomes at the batch's target inputs.

        Args:
            batch: a Batch of B rows with `target_design` [B, M, D].

        Returns:
            two [B, M], in natural units.

        Raises:
            InputError: a row without an observation, or several outcome fields.
        """
        targets = np.asarray(batch["target_design"], float)
        found = [p.predict(x) for p, x in zip(self.posteriors(batch), targets, strict=True)]
        mean, sd = zip(*found, strict=True)
        return np.stack(mean), np.stack(sd)

    def _choose(self, batch, mask):
        candidates = np.asarray(batch["candidate_design"], float)
        targets = np.asarray(batch["target_design"], float)
        selected = np.asarray(batch["target_mask"], bool)
        if self.reads_targets and not selected.any(axis=1).all():
            raise InputError(f"expected a selected target input in every row for {self.name}")
        scores = np.full(mask.shape, -np.inf)
        for row, posterior in enumerate(self.posteriors(batch)):
            offered = candidates[row, mask[row]]
            scores[row, mask[row]] = self._scores(posterior, offered, targets[row, selected[row]])
        return masked_argmax(scores, mask)

    def _scores(self, posterior: GPPosterior, candidates, targets) -> np.ndarray:
        """What each of candidates [N, D] is worth: [N]."""
        raise NotImplementedError


class GPRandomPolicy(GPPolicy):
    """Random designs, those of `RandomPolicy` with the same seed.

    Args:
        settings: of the fit; `GPSettings()` when None.
        seed: of the draws.

    Example:
        >>> from aline_tf.acquisition import GPRandomPolicy
        >>> from aline_tf.batch import empty_batch
        >>> batch = empty_batch({"C": 1, "D": 1, "F": 1, "P": 0, "M": 1, "N": 3})
        >>> batch["context_status"][:], batch["context_mask"][:] = 1, True
        >>> batch["target_design"][0, 0, 0], batch["target_mask"][:] = 4.0, True
        >>> batch["candidate_design"][0, :, 0] = [0.1, 4.0, 0.2]
        >>> batch["candidate_mask"][:] = [False, True, False]
        >>> GPRandomPolicy().choose(batch)
        array([1])
    """

    name = "gp-rs"
    reads_targets = False

    def __init__(self, settings: GPSettings | None = None, seed: int = 0):
        super().__init__(settings)
        self._random = RandomPolicy(seed)

    def _choose(self, batch, mask):
        return self._random.choose(batch)


class GPUncertaintyPolicy(GPPolicy):
    """Where the process is least certain.

    Args:
        settings: of the fit; `GPSettings()` when None.

    Example:
        >>> from aline_tf.acquisition import GPUncertaintyPolicy
        >>> from aline_tf.batch import empty_batch
        >>> batch = empty_batch({"C": 1, "D": 1, "F": 1, "P": 0, "M": 1, "N": 3})
        >>> batch["context_status"][:], batch["context_mask"][:] = 1, True
        >>> batch["target_design"][0, 0, 0], batch["target_mask"][:] = 4.0, True
        >>> batch["candidate_design"][0, :, 0] = [0.1, 4.0, 0.2]
        >>> batch["candidate_mask"][:] = True
        >>> GPUncertaintyPolicy().choose(batch)
        array([1])
    """

    name = "gp-us"
    reads_targets = False

    def _scores(self, posterior, candidates, targets):
        return posterior.predict(candidates)[1]


class GPVarianceReductionPolicy(GPPolicy):
    """What makes the target inputs most certain.

    Args:
        settings: of the fit; `GPSettings()` when None.

    Example:
        >>> from aline_tf.acquisition import GPVarianceReductionPolicy
        >>> from aline_tf.batch import empty_batch
        >>> batch = empty_batch({"C": 1, "D": 1, "F": 1, "P": 0, "M": 1, "N": 3})
        >>> batch["context_status"][:], batch["context_mask"][:] = 1, True
        >>> batch["target_design"][0, 0, 0], batch["target_mask"][:] = 4.0, True
        >>> batch["candidate_design"][0, :, 0] = [0.1, 4.0, 0.2]
        >>> batch["candidate_mask"][:] = True
        >>> GPVarianceReductionPolicy().choose(batch)
        array([1])
    """

    name = "gp-vr"

    def _scores(self, posterior, candidates, targets):
        return posterior.joint(candidates, targets).variance_reduction()


class GPInformationPolicy(GPPolicy):
    """What tells most about the outcomes at the target inputs, one at a time.

    Args:
        settings: of the fit; `GPSettings()` when None.

    Example:
        >>> from aline_tf.acquisition import GPInformationPolicy
        >>> from aline_tf.batch import empty_batch
        >>> batch = empty_batch({"C": 1, "D": 1, "F": 1, "P": 0, "M": 1, "N": 3})
        >>> batch["context_status"][:], batch["context_mask"][:] = 1, True
        >>> batch["target_design"][0, 0, 0], batch["target_mask"][:] = 4.0, True
        >>> batch["candidate_design"][0, :, 0] = [0.1, 4.0, 0.2]
        >>> batch["candidate_mask"][:] = True
        >>> GPInformationPolicy().choose(batch)
        array([1])
    """

    name = "gp-epig"

    def _scores(self, posterior, candidates, targets):
        return posterior.joint(candidates, targets).expected_information()


GP_POLICIES = {
    policy.name: policy
    for policy in (
        GPRandomPolicy,
        GPUncertaintyPolicy,
        GPVarianceReductionPolicy,
        GPInformationPolicy,
    )
}
