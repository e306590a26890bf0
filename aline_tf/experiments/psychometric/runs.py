"""Simulated observers of the psychometric task, and what a policy acquires from them.

Every policy meets the same observers: their parameters, and for each trial the uniform number that
decides the answer, are drawn once. A policy picks from 200 stimuli, each at most once.

Sizes: R observers, T trials, N candidates, P = 4 parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aline_tf.acquisition.policies import Policy
from aline_tf.batch import empty_batch
from aline_tf.evaluation.play import play
from aline_tf.evaluation.simulated_runs import RunData
from aline_tf.experiments.psychometric.psychometric_grid import (
    DESIGN_HIGH,
    DESIGN_LOW,
    PARAMETER_NAMES,
    sample_prior,
    success_probability,
)

HORIZON = 30


@dataclass(frozen=True)
class PsychometricRuns:
    """R simulated observers and their pools.

    Attributes:
        theta: [R, 4].
        uniforms: [R, T]; the answer of trial t is yes when `uniforms[:, t] < P(yes)`.
        candidates: [R, N] stimuli.

    Example:
        >>> from aline_tf.acquisition import RandomPolicy
        >>> from aline_tf.experiments.psychometric.runs import simulate_runs, target_mask
        >>> runs = simulate_runs(2, candidates=40, seed=0)
        >>> runs.play(RandomPolicy(0), target_mask("slope")).outcome.shape
        (2, 30, 1)
    """

    theta: np.ndarray
    uniforms: np.ndarray
    candidates: np.ndarray

    def __len__(self) -> int:
        return len(self.theta)

    @property
    def horizon(self) -> int:
        """T."""
        return self.uniforms.shape[1]

    def play(self, policy: Policy, targets: np.ndarray, replace: bool = False) -> RunData:
        """Lets a policy question every observer, all in step.

        Args:
            policy: chooses.
            targets: [4] or, to change the target on the way, [T, 4] bool.
            replace: whether a stimulus may be chosen again.

        Returns:
            RunData with designs [R, T, 1] and answers [R, T, 1] in double precision.
        """
        count, horizon = self.uniforms.shape
        targets = np.broadcast_to(targets, (horizon, len(PARAMETER_NAMES)))
        sizes = {"B": count, "C": horizon, "D": 1, "F": 1, "P": 4, "N": self.candidates.shape[1]}
        batch = empty_batch(sizes)
        batch["candidate_design"][..., 0] = self.candidates
        batch["candidate_mask"][:] = True
        probability = success_probability(self.theta[:, None], self.candidates)
        everyone = np.arange(count)
        design, outcome = np.zeros((2, count, horizon, 1))

        def reveal(t, index):
            design[:, t, 0] = self.candidates[everyone, index]
            outcome[:, t, 0] = self.uniforms[:, t] < probability[everyone, index]
            return outcome[:, t]

        for t, state in enumerate(play(policy, batch, reveal, horizon, replace=replace)):
            if t < horizon:
                state["theta_mask"] = np.repeat(targets[t][None], count, axis=0)
        return RunData(self.theta, design, outcome)


def simulate_runs(
    runs: int, candidates: int, seed: int, horizon: int = HORIZON, pool: str = "grid"
) -> PsychometricRuns:
    """Draws observers from the prior; equal arguments give equal observers.

    Args:
        runs, candidates: R and N.
        seed: of everything.
        horizon: T.
        pool: "grid" for evenly spaced stimuli over [-5, 5], "random" for uniform ones.
    """
    # Separate streams, so that another number of candidates leaves the observers as they are.
    streams = np.random.SeedSequence(seed).spawn(3)
    theta_rng, answer_rng, pool_rng = (np.random.default_rng(stream) for stream in streams)
    if pool == "grid":
        grid = np.linspace(DESIGN_LOW, DESIGN_HIGH, candidates)
        designs = np.broadcast_to(grid, (runs, candidates))
    else:
        designs = pool_rng.uniform(DESIGN_LOW, DESIGN_HIGH, (runs, candidates))
    return PsychometricRuns(
        sample_prior(theta_rng, runs), answer_rng.random((runs, horizon)), designs
    )


def target_mask(target: str) -> np.ndarray:
    """Which of the four parameters a comma-joined target names, [4] bool."""
    return np.isin(PARAMETER_NAMES, target.split(","))
