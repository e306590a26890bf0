"""PolicyRuns that a model's own policy collects, for every promise the same runs.

Each run has a parameter vector of the prior, targets as training has them, and a pool; in every
step the policy chooses from some of what is left, as in training, which costs a sixth of the whole
pool and leads to histories of the same kind. Answers are missing completely at random.

Sizes: R runs, T trials, N candidates, P parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aline_tf import batch_ops
from aline_tf.acquisition.policies import Policy
from aline_tf.batch import BATCH_FIELDS, NO_ANSWER
from aline_tf.evaluation.play import play_through

#: Candidates that the policy chooses from in one step, and the multiple that contexts are cut to.
OFFERED, _BUCKET = 32, 16
#: Runs that are simulated together.
_TOGETHER = 64
_OFFERS, _LOST = 0x6F66, 0x6C6F


class PolicyRuns:
    """What R runs meet, and what a policy collects there.

    Args:
        task: a `Task`.
        policy: who chooses.
        runs: R.
        candidates: N of the pool.
        seed: equal seeds give every model the same parameters, pools and answers.
        longest: trials that will be asked for at most; what is shorter is the beginning of it.

    Example:
        >>> from aline_tf.acquisition import RandomPolicy
        >>> from aline_tf.evaluation.promises.policy_runs import PolicyRuns
        >>> from aline_tf.tasks import Psychometric
        >>> histories = PolicyRuns(Psychometric(), RandomPolicy(0), runs=2, candidates=9, seed=0)
        >>> batch = histories.after(3)
        >>> batch["context_mask"].sum(1), histories.theta.shape
        (array([3, 3]), (2, 4))
    """

    def __init__(self, task, policy: Policy, runs: int, candidates: int, seed: int, longest=0):
        self.task, self.policy = task, policy
        self.runs, self.candidates, self.seed, self.longest = runs, candidates, seed, longest
        self._played: dict[float, dict] = {}
        self.theta = self.episode(1)["theta"].astype(float)

    def episode(self, candidates: int) -> dict[str, np.ndarray]:
        """The runs as an Episode with a pool of any size; the parameters are always the same.

        Args:
            candidates: N.
        """
        from aline_tf import draws

        parts = []
        for group in range(-(-self.runs // _TOGETHER)):
            seed = draws.fold_in(draws.as_seed(self.seed), group)
            drawn = self.task.sample_episodes(seed, _TOGETHER, candidates)
            parts.append({name: np.asarray(part) for name, part in drawn.items()})
        # Whole groups are drawn and then cut, so that the number of runs changes no draw.
        return {name: np.concatenate([p[name] for p in parts])[: self.runs] for name in parts[0]}

    def after(self, trials: int, missing: float = 0.0) -> dict[str, np.ndarray]:
        """The Batch of R rows after `trials` trials, with what is left of the pool.

        Args:
            trials: T, answered or not.
            missing: share of the answers that do not come, in [0, 1].
        """
        found = self._played.get(missing)
        first = 0 if found is None else found["first"]
        if found is None or found["trials"] < trials:
            length = trials if missing else max(trials, self.longest)
            episode = self.episode(max(self.candidates, length))
            if missing:
                episode = without_answers(episode, missing, self.seed)
            first = episode["context_mask"].shape[1]
            last = played(self.policy, episode, length, self.seed)
            found = {"batch": last, "trials": length, "first": first, "pool": episode}
            self._played[missing] = found
        return _rewound(found, first + trials)

    def played(
        self, episode: Mapping[str, np.ndarray], trials: int, offered: int | None = OFFERED
    ) -> dict[str, np.ndarray]:
        """The Batch after `trials` trials of an Episode of one's own.

        Args:
            episode: R rows whose pool says what each candidate reveals.
            trials: T.
            offered: how many candidates the policy sees in one step; all when None.
        """
        return played(self.policy, episode, trials, self.seed, offered)


def played(
    policy: Policy, episode, trials: int, seed: int, offered: int | None = OFFERED
) -> dict[str, np.ndarray]:
    """The Batch after a policy chose `trials` times, from some of the pool each time.

    Args:
        policy: who chooses.
        episode: R rows whose pool says what each candidate reveals.
        trials: T, at most the size of the pool.
        seed: of what is offered.
        offered: how many candidates the policy sees in one step; all when None.
    """
    first = episode["context_mask"].shape[1]
    if not trials:
        return {name: episode[name] for name in BATCH_FIELDS}
    shown = _Offered(policy, seed, offered or episode["candidate_mask"].shape[1])
    return play_through(shown, episode, None, trials, first)


def without_answers(episode, share: float, seed: int) -> dict[str, np.ndarray]:
    """The episode whose candidates do not answer, each with a probability of its own draw.

    Args:
        episode: R rows.
        share: that probability.
        seed: of who does not.
    """
    status = episode["candidate_status"]
    rng = np.random.default_rng([seed, _LOST])
    lost = rng.random(status.shape[:2])[..., None] < share
    answers = np.where(lost, 0.0, episode["candidate_outcome"]).astype(np.float32)
    status = np.where(lost, NO_ANSWER, status).astype(np.int32)
    return dict(episode) | {"candidate_outcome": answers, "candidate_status": status}


def refused(batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The batch in which none of the questions was answered."""
    status = np.full_like(batch["context_status"], NO_ANSWER)
    outcome = np.zeros_like(batch["context_outcome"])
    return dict(batch) | {"context_status": status, "context_outcome": outcome}


def _rewound(found: Mapping[str, Any], length: int) -> dict[str, np.ndarray]:
    """The state when `length` tokens were there, its pool without what had been taken by then."""
    batch = batch_ops.cut_context(found["batch"], length)
    design, later = found["pool"]["candidate_design"], found["batch"]["context_design"][:, length:]
    back = (design[:, :, None] == later[:, None]).all(-1).any(-1)
    return batch | {"candidate_mask": found["batch"]["candidate_mask"] | back}


class _Offered(Policy):
    """Another policy, which is shown a few of the candidates left, and no padding."""

    name = "offered"

    def __init__(self, policy: Policy, seed: int, offered: int):
        self._policy, self._seed, self._offered = policy, seed, offered
        self.reads_targets, self.spec = policy.reads_targets, policy.spec

    def _choose(self, batch, mask):
        seen = int(batch["context_mask"].sum(1).max())
        batch = batch_ops.cut_context(batch, -(-seen // _BUCKET) * _BUCKET)
        rng = np.random.default_rng([self._seed, seen, _OFFERS])
        keys = np.where(mask, rng.random(mask.shape), 2.0)
        shown = np.argsort(keys, axis=1)[:, : self._offered].astype(np.int32)
        picked = self._policy.choose(batch_ops.narrow(batch, shown))
        return shown[np.arange(len(shown)), picked]
