"""The contract of a simulator: `Task`, written in TensorFlow with stateless seeds."""

from __future__ import annotations

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import OBSERVED
from aline_tf.spec import TaskSpec


class Task:
    """A prior p(theta), a simulator p(y | x, theta) and a design space.

    A task of one's own gives `spec`, `sample_theta`, `sample_designs` and `simulate`; with
    `log_likelihood` it can also be taught by information gains. Everything is TensorFlow, takes
    a seed (int32 [2]) for every draw and runs inside `tf.function`.
    """

    spec: TaskSpec

    #: M, how many predictive targets a training episode has beside the parameters.
    predictions: int = 8

    #: Weight of each of the M predictive targets in the inference loss; None weighs them alike.
    target_weights: tuple[float, ...] | None = None

    def sample_theta(self, seed, batch: int) -> tf.Tensor:
        """Draws from the prior: [B, P]."""
        raise NotImplementedError

    def sample_designs(self, seed, batch: int, count: int) -> tf.Tensor:
        """A pool of designs for each row: [B, N, D]."""
        raise NotImplementedError

    def simulate(self, theta, design, seed) -> tf.Tensor:
        """Outcomes [B, N, F] at designs [B, N, D] given theta [B, P]."""
        raise NotImplementedError

    #: log p(y | x, theta) for theta [..., P], design [..., D], outcome [..., F], leading
    #: dimensions broadcast; None where no likelihood is known.
    log_likelihood = None

    #: log p(theta) for theta [..., P]; needed beside `log_likelihood` by the exact teacher.
    log_prior = None

    #: Mean and standard deviation of a normal outcome for theta [..., P] and design [..., D], where
    #: the likelihood is normal, and the bounds (low, high) it is cut off at: a quicker teacher.
    normal_outcome = None
    outcome_bounds = None

    #: (theta [..., P], known_mask) -> (theta, free): parameters that follow from the others filled
    #: in, and which are free; needed where some do, by the teacher.
    complete_theta = None

    #: Expected gain [R, N] of every candidate about the selected targets of R states (an Episode),
    #: in nats, where the task can tell it in closed form; a row of zeros where it cannot. It may
    #: read the true theta: it teaches, it never decides.
    expected_gain = None

    def sample_targets(self, seed, batch: int) -> tf.Tensor:
        """Which parameters each row is after, as met in training: bool [B, P]. Default: all."""
        return tf.ones([batch, len(self.spec.parameters)], tf.bool)

    def sample_episodes(self, seed, batch: int, candidates: int) -> dict:
        """Episodes that start with an empty context and have parameter targets only.

        Args:
            seed: int32 [2].
            batch: B.
            candidates: N, the size of each row's pool.

        Returns:
            an Episode with C = 0 and M = `predictions` predictive targets, of the first outcome
            field, none of them selected (see `aline_tf.batch`).
        """
        theta_seed, design_seed, outcome_seed, target_seed, input_seed, answer_seed = draws.split(
            seed, 6
        )
        dims, fields, parameters = (self.spec.sizes[letter] for letter in "DFP")
        theta = self.sample_theta(theta_seed, batch)
        design = self.sample_designs(design_seed, batch, candidates)
        inputs = self.sample_designs(input_seed, batch, self.predictions)
        answers = self.simulate(theta, inputs, answer_seed)[..., 0]
        return {
            "context_design": tf.zeros([batch, 0, dims]),
            "context_outcome": tf.zeros([batch, 0, fields]),
            "context_status": tf.zeros([batch, 0, fields], tf.int32),
            "context_mask": tf.zeros([batch, 0], tf.bool),
            "known_theta": tf.zeros([batch, parameters]),
            "known_mask": tf.zeros([batch, parameters], tf.bool),
            "theta_mask": self.sample_targets(target_seed, batch),
            "target_design": inputs,
            "target_mask": tf.zeros([batch, self.predictions], tf.bool),
            "candidate_design": design,
            "candidate_mask": tf.ones([batch, candidates], tf.bool),
            "theta": theta,
            "theta_observed": tf.ones([batch, parameters], tf.bool),
            "target_outcome": answers,
            "target_observed": tf.ones([batch, self.predictions], tf.bool),
            "candidate_outcome": self.simulate(theta, design, outcome_seed),
            "candidate_status": tf.fill([batch, candidates, fields], OBSERVED),
            "candidate_cost": tf.ones([batch, candidates]),
        }
