"""Evaluation on held-out hyper-parameter landscapes: how well the rest of a table is predicted.

Every policy meets the same runs: a held-out data set, the same initial points, pool and targets.
After each acquisition the scores of the target configurations are predicted: by the model for
"learned", "random" and "ace-us", by the fitted Gaussian process for the "gp-" policies, and by the
model on their choices in the results named "gp-epig/network". The unit is the standard deviation of
the scores over that data set's table, so that a narrow landscape weighs as much as a wide one:

    rmse         root mean squared error of the predictive mean; 1: nothing known but the mean
    log_prob     mean log density at the truth, in nats; -1.42: a normal distribution that fits
    coverage_90  share of targets within the central 90% interval

Sizes: R runs, T acquisitions, N candidates, M targets, C context capacity.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from aline_tf import draws
from aline_tf.acquisition.baselines.gp_regression import GPSettings
from aline_tf.acquisition.policies import Policy
from aline_tf.errors import InputError
from aline_tf.evaluation.estimates import Estimates
from aline_tf.evaluation.play import play
from aline_tf.evaluation.predictors import Predictor
from aline_tf.evaluation.results import Result

ALL = "all"
METRICS = ("rmse", "log_prob", "coverage_90")
#: In the unit cube, with as much noise as cross-validation has.
GP_SETTINGS = GPSettings(
    starts=(0.25, 1.0), lengthscale=(0.02, 20.0), noise=(1e-3, 1.0), variance=(0.02, 50.0)
)
_RUNS_AT_ONCE = 64


@dataclasses.dataclass(frozen=True)
class LandscapeRuns:
    """R runs on the tables of one split.

    Attributes:
        episode: an Episode of R rows, numpy.
        scale: [R], what a unit of its outcomes is in scores.
        spread: [R], standard deviation of the table's scores.
        names: R names of data sets.
        horizon: T.

    Example:
        >>> from aline_tf.experiments.hyperparameters.landscapes import LandscapeRuns
        >>> from aline_tf.tasks import HPO
        >>> LandscapeRuns.of(HPO(), runs=2, candidates=40, seed=0).horizon
        30
    """

    episode: dict[str, np.ndarray]
    scale: np.ndarray
    spread: np.ndarray
    names: tuple[str, ...]
    horizon: int

    @classmethod
    def of(cls, task, runs: int, candidates: int, seed: int, split: str = "test") -> LandscapeRuns:
        """Runs that take the tables of `split` in turn.

        Args:
            task: an `HPO` task.
            runs, candidates: R and N.
            seed: of initial points, pools and targets.

        Raises:
            InputError: no table in that split, or a pool smaller than the horizon on one of them.
        """
        tables = task.landscapes.get(split, ())
        if not tables:
            raise InputError(f"expected a {split} data set of {task.spec.name}; received none")
        row = np.arange(runs) % len(tables)
        episode, scale = task.recorded_episodes(draws.as_seed(seed), split, row, candidates)
        episode = {name: np.asarray(array) for name, array in episode.items()}
        smallest = episode["candidate_mask"].sum(1).min()
        if smallest < task.spec.horizon:
            raise InputError(
                f"expected at least {task.spec.horizon} candidates in every run; received "
                f"{smallest}"
            )
        return cls(
            episode,
            np.asarray(scale, float),
            np.array([tables[r].spread for r in row]),
            tuple(tables[r].name for r in row),
            task.spec.horizon,
        )

    def groups(self) -> Iterator[LandscapeRuns]:
        """The same runs, a few at a time."""
        for start in range(0, len(self.names), _RUNS_AT_ONCE):
            part = slice(start, start + _RUNS_AT_ONCE)
            episode = {name: array[part] for name, array in self.episode.items()}
            yield LandscapeRuns(
                episode, self.scale[part], self.spread[part], self.names[part], self.horizon
            )

    def states(self, policy: Policy) -> Iterator[dict[str, np.ndarray]]:
        """The Batch before each of the policy's T acquisitions and after the last."""
        first = self.episode["context_mask"].shape[1]
        return play(policy, self.episode, None, self.horizon, first=first)

    def measures(self, found: Estimates) -> np.ndarray:
        """`METRICS` of each run: [3, R]."""
        selected, truth = self.episode["target_mask"], self.episode["target_outcome"]
        unit = (self.scale / self.spread)[:, None]

        def averaged(values):
            return np.where(selected, values, 0.0).sum(1) / selected.sum(1)

        error = np.sqrt(averaged(np.square(unit * (found.mean - truth))))
        density = averaged(found.log_density - np.log(unit))
        inside = averaged((found.low <= truth) & (truth <= found.high))
        return np.stack([error, density, inside])


def evaluate(
    policies: Mapping[str, tuple[Policy, Mapping[str, Predictor]]],
    runs: LandscapeRuns,
    report: Callable[[str], None] = lambda line: None,
) -> list[Result]:
    """All results of a table: every metric after 0 to T acquisitions, target "all"; and at the end
    data set by data set, the target being its name.

    Args:
        policies: each policy with those who predict on its choices, by the name of their results.
        report: called with a line for each finished policy.
    """
    names, results = np.array(runs.names), []
    for name, (policy, predictors) in policies.items():
        groups = [_curves(policy, predictors, group) for group in runs.groups()]
        for p, label in enumerate(predictors):
            curve = np.concatenate([group[p] for group in groups], axis=-1)
            for m, metric in enumerate(METRICS):
                values = enumerate(curve[:, m])
                results += [Result.of(label, ALL, step, metric, value) for step, value in values]
                for table in dict.fromkeys(runs.names):
                    last = curve[-1, m, names == table]
                    results.append(Result.of(label, table, runs.horizon, metric, last))
        report(f"{name}: {len(names)} runs of {runs.horizon} steps")
    return results


def _curves(policy, predictors, runs):
    """`METRICS` of every predictor after each step: [predictors, T + 1, 3, R]."""
    truth, everyone = runs.episode["target_outcome"], slice(0, len(runs.names))
    curves = [
        [runs.measures(each.predict(batch, truth, everyone)) for each in predictors.values()]
        for batch in runs.states(policy)
    ]
    return np.swapaxes(np.array(curves), 0, 1)
