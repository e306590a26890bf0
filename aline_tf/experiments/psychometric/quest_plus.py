"""QUEST+ for the psychometric function, through the `questplus` package (optional).

Source: Watson, "QUEST+: a general multidimensional Bayesian adaptive psychometric method", Journal
of Vision 17(3), 2017. The next stimulus minimises the expected entropy of the joint posterior over
all four parameters; the target of the session is not looked at, which is what it loses by.
"""

from __future__ import annotations

import numpy as np

from aline_tf.acquisition.policies import Policy
from aline_tf.errors import InputError
from aline_tf.experiments.psychometric.psychometric_grid import (
    PARAMETER_HIGH,
    PARAMETER_LOW,
    success_probability,
)
from aline_tf.experiments.psychometric.trial_history import TrialHistory
from aline_tf.tasks.psychometric import SPEC

# questplus' names for threshold, slope, guess, lapse.
_DIMENSIONS = ("threshold", "slope", "lower_asymptote", "lapse_rate")


class QuestPlusPolicy(Policy):
    """Minimum expected entropy over all four parameters, on the package's own grid.

    Args:
        sizes: grid values of threshold, slope, guess, lapse, evenly spaced inside the prior.

    Raises:
        InputError: the package is not installed, or a batch's rows have different pools.

    Example:
        >>> from aline_tf.experiments.psychometric.quest_plus import QuestPlusPolicy
        >>> QuestPlusPolicy.name, QuestPlusPolicy.reads_targets
        ('questplus', False)
    """

    name = "questplus"
    spec = SPEC
    reads_targets = False
    reads_known = False

    def __init__(self, sizes: tuple[int, int, int, int] = (11, 5, 5, 5)):
        try:
            import questplus
        except ImportError as error:
            raise InputError(
                "expected the optional package questplus for the policy 'questplus' "
                f"(pip install questplus); received {error}"
            ) from error
        self._package = questplus
        self._values = [
            low + (high - low) * (np.arange(n) + 0.5) / n
            for low, high, n in zip(PARAMETER_LOW, PARAMETER_HIGH, sizes, strict=True)
        ]
        self._history = TrialHistory()
        self._stimuli = np.zeros(0)
        self._method = None
        self._posteriors: list = []

    def _choose(self, batch, mask):
        pools = np.asarray(batch["candidate_design"], float)[..., 0]
        if not (pools == pools[:1]).all():
            raise InputError("expected one pool for all rows with questplus; received several")
        if not np.array_equal(pools[0], self._stimuli):
            self._start(pools[0])
        fresh, trials = self._history.extend(batch)
        if fresh or len(self._posteriors) != len(mask):
            self._posteriors = [self._method.prior] * len(mask)
        for trial in trials:
            for row in np.flatnonzero(trial.rows):
                self._update(row, trial.design[row], trial.outcome[row])
        return [self._next(row, mask[row]) for row in range(len(mask))]

    def _start(self, stimuli: np.ndarray) -> None:
        """A QuestPlus object for this pool, with our likelihood in the place of its Weibull.

        The package's function has the two asymptotes as its parameters; ours has a lapse rate and
        the answer given when lapsing. Only the table of likelihoods knows the difference.
        """
        import xarray

        method = self._package.QuestPlusWeibull(
            intensities=stimuli,
            thresholds=self._values[0],
            slopes=self._values[1],
            lower_asymptotes=self._values[2],
            lapse_rates=self._values[3],
            responses=("yes", "no"),
        )
        theta = np.stack(np.meshgrid(*self._values, indexing="ij"), -1)
        yes = success_probability(theta, stimuli[:, None, None, None, None])
        table = xarray.DataArray(
            np.stack([yes, 1.0 - yes]), dims=("response", "intensity", *_DIMENSIONS)
        )
        method.likelihoods = method.likelihoods.copy(
            data=table.transpose(*method.likelihoods.dims).values
        )
        self._method, self._stimuli, self._table = method, stimuli, method.likelihoods

    def _update(self, row: int, design: float, outcome: float) -> None:
        """One trial of one row; the stimulus need not be one of the pool."""
        theta = np.stack(np.meshgrid(*self._values, indexing="ij"), -1)
        yes = success_probability(theta, design)
        posterior = self._posteriors[row].transpose(*_DIMENSIONS)
        posterior = posterior * (yes if outcome > 0.5 else 1.0 - yes)
        self._posteriors[row] = posterior / posterior.sum()

    def _next(self, row: int, allowed: np.ndarray) -> int:
        """The package's choice for one row, among the allowed stimuli."""
        indices = np.flatnonzero(allowed)
        self._method.posterior = self._posteriors[row]
        self._method.likelihoods = self._table.isel(intensity=indices)
        stimulus = self._method.next_intensity
        return int(indices[np.argmin(np.abs(self._stimuli[indices] - stimulus))])
