"""Recorded data as a task: subjects whose measurements are there, and no simulator."""

from __future__ import annotations

import math
import warnings
from numbers import Real

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import MISSING, OBSERVED
from aline_tf.errors import InputError
from aline_tf.spec import TaskSpec
from aline_tf.tasks.contract import check_designs, check_outcomes, check_theta
from aline_tf.tasks.task import Task, coded_queries

#: Of everything of a row that is drawn: which subject, the order of its records, what is selected.
_SUBJECT, _ORDER, _SIDE, _CODE = range(4)


class RecordedDataTask(Task):
    """A task of S recorded subjects with at most N measurements each.

    An episode is one subject, drawn at random: some of its records are the pool that the policy
    chooses from, others are what is predicted. Nothing is simulated, so that a record can be met
    once an episode. Where parameters are recorded too, half of the episodes are after them.

    Args:
        spec: what the columns are. With `parameters=()` only predictions are learned.
        designs: [S, N, D], in natural units; the rows of records that do not exist may hold
            anything, NaN included.
        outcomes: [S, N, F]; NaN is a value that was not recorded.
        theta: [S, P], the parameters of each subject where they are known (NaN: not known); None
            where the specification has none.
        predictions: M, at most so many records of an episode are predicted; never more than half.

    Raises:
        InputError: shapes that do not fit, a design that is not finite or outside its bounds where
            an outcome is recorded, an outcome or a parameter that is not of its kind, or a subject
            with fewer than two records.

    >>> from aline_tf.spec import Channel, TaskSpec
    >>> spec = TaskSpec(
    ...     "dose", ("dose",), (0.0,), (10.0,), (Channel("y"),), (Channel("y"),), (), horizon=2
    ... )
    >>> designs = np.linspace(0, 10, 12).reshape(3, 4, 1)
    >>> task = RecordedDataTask(spec, designs, np.sin(designs), predictions=2)
    >>> task.sample_episodes([1, 2], 5, 2)["candidate_outcome"].shape.as_list()
    [5, 2, 1]
    """

    teaches_missing = True
    note = "no simulator: what is evaluated must be other subjects (see RecordedDataTask.split)"

    def __init__(self, spec: TaskSpec, designs, outcomes, theta=None, predictions: int = 8):
        self.spec = spec
        whole = isinstance(predictions, int | np.integer) and not isinstance(predictions, bool)
        if not whole or predictions < 1:
            raise InputError(f"expected at least 1 prediction; received {predictions!r}")
        self.predictions = int(predictions)
        designs, outcomes = _numbers("designs", designs), _numbers("outcomes", outcomes)
        subjects, sizes = len(designs), spec.sizes
        if designs.ndim != 3 or not subjects or designs.shape[2] != sizes["D"]:
            raise InputError(
                f"expected designs [S, N, {sizes['D']}] of at least one subject; "
                f"received {list(designs.shape)}"
            )
        if outcomes.shape != (*designs.shape[:2], sizes["F"]):
            raise InputError(
                f"expected outcomes {[*designs.shape[:2], sizes['F']]}; "
                f"received {list(outcomes.shape)}"
            )
        theta = np.full((subjects, 0), 0.0) if theta is None else _numbers("theta", theta)
        if theta.shape != (subjects, sizes["P"]):
            raise InputError(
                f"expected theta {[subjects, sizes['P']]} (spec.parameters=() without any); "
                f"received {list(theta.shape)}"
            )
        observed = ~np.isnan(outcomes)
        _check_records(spec, designs, outcomes, observed, theta)
        never = np.isnan(theta).all(axis=0)
        if never.any():
            name = spec.parameter_names[int(np.argmax(never))]
            warnings.warn(
                f"the parameter {name} is recorded of none of {subjects} subjects: nothing can be "
                "learned about it",
                stacklevel=2,
            )
        exists = observed.any(axis=2)
        self.theta = np.nan_to_num(theta).astype(np.float32)
        self.theta_known = ~np.isnan(theta)
        self.designs = np.where(exists[..., None], designs, 0.0).astype(np.float32)
        self.outcomes = np.nan_to_num(outcomes).astype(np.float32)
        self.observed, self.exists = observed, exists

    @classmethod
    def from_dataset(cls, spec: TaskSpec, dataset, predictions: int = 8) -> RecordedDataTask:
        """The task of a finite `tf.data.Dataset`, or of any iterable, with a subject an element.

        Args:
            spec: what the columns are.
            dataset: of dicts: `design` [n, D], `outcome` [n, F] (NaN: not recorded) and, where the
                specification has parameters, `theta` [P]; n may differ from subject to subject.
            predictions: as of the class.

        Raises:
            InputError: no end, no element, other names or ranks, or what the class refuses.
        """
        endless = tf.data.INFINITE_CARDINALITY
        if isinstance(dataset, tf.data.Dataset) and dataset.cardinality() == endless:
            raise InputError("expected a dataset that ends; received one without end (repeat())")
        names = {"design": 2, "outcome": 2} | ({"theta": 1} if spec.parameters else {})
        found = {name: [] for name in names}
        for element in dataset:
            if not isinstance(element, dict) or set(element) != set(names):
                received = list(element) if isinstance(element, dict) else type(element).__name__
                raise InputError(
                    f"expected dicts of {', '.join(names)} in the dataset; received {received}"
                )
            for name, rank in names.items():
                array = np.asarray(element[name])
                if array.ndim != rank:
                    raise InputError(
                        f"expected one subject an element, {name} of rank {rank} (unbatch() takes "
                        f"batches apart); received {name} {list(array.shape)}"
                    )
                found[name].append(array)
        if not found["design"]:
            raise InputError("expected at least one subject in the dataset; received none")
        theta = np.stack(found["theta"]) if spec.parameters else None
        most = max(map(len, [*found["design"], *found["outcome"]]))
        designs, outcomes = (
            np.stack([_padded(array, most) for array in found[name]])
            for name in ("design", "outcome")
        )
        return cls(spec, designs, outcomes, theta, predictions)

    @property
    def subjects(self) -> int:
        """S."""
        return len(self.designs)

    def split(self, share: float, seed: int = 0) -> tuple[RecordedDataTask, RecordedDataTask]:
        """Two tasks of different subjects: to train on, and to evaluate.

        Args:
            share: of the subjects that the second one has, in (0, 1).
            seed: of the choice.

        Raises:
            InputError: one of them would have no subject.
        """
        whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
        if not whole or seed < 0:
            raise InputError(f"expected a seed, a whole number of 0 or more; received {seed!r}")
        order = np.random.default_rng(int(seed)).permutation(self.subjects)
        part = isinstance(share, Real) and math.isfinite(share)
        count = round(float(share) * self.subjects) if part else 0
        if not 0 < count < self.subjects:
            raise InputError(
                f"expected a share that leaves some of {self.subjects} subjects on both sides; "
                f"received {share!r}"
            )
        return self._of(order[count:]), self._of(order[:count])

    def _of(self, rows) -> RecordedDataTask:
        missing = np.where(self.observed[rows], self.outcomes[rows], np.nan)
        theta = np.where(self.theta_known[rows], self.theta[rows], np.nan)
        return RecordedDataTask(self.spec, self.designs[rows], missing, theta, self.predictions)

    def sample_theta(self, seed, batch):
        """Recorded parameters of random subjects, 0 where they are not known: [B, P]."""
        return tf.gather(self.theta, self._subjects(seed, batch))

    def sample_designs(self, seed, batch, count):
        """Recorded designs, with repetition: [B, N, D]."""
        design = self.designs[self.exists]
        row = draws.uniform(seed, [batch, count], 0.0, float(len(design)))
        return tf.gather(design, tf.cast(row, tf.int32))

    def _subjects(self, seed, batch):
        row = draws.uniform(draws.fold_in(seed, _SUBJECT), [batch], 0.0, float(self.subjects))
        return tf.minimum(tf.cast(row, tf.int32), self.subjects - 1)

    def sample_episodes(self, seed, batch, candidates):
        """Episodes of random subjects with an empty context.

        Args:
            seed: int32 [2].
            batch: B.
            candidates: N; what a subject has not is masked.

        Returns:
            an Episode with C = 0 and M = `predictions` predictive targets; in each row either the
            targets or the recorded parameters are selected.
        """
        return self.episodes_of(seed, self._subjects(seed, batch), candidates)

    def episodes_of(self, seed, subject, candidates: int) -> dict:
        """Episodes of given subjects.

        Args:
            seed: int32 [2]; of the order of their records.
            subject: int32 [B], in [0, S).
            candidates: N.

        Returns:
            an Episode, as of `sample_episodes`.
        """
        batch, records = subject.shape[0], self.designs.shape[1]
        exists = tf.gather(self.exists, subject)
        key = draws.uniform(draws.fold_in(seed, _ORDER), [batch, records])
        order = tf.argsort(tf.where(exists, key, 2.0), axis=1)
        # Of a subject with few records every second one is predicted: M of them at most.
        targets = min(self.predictions, records // 2)
        place = np.arange(records)
        predicted = (place % 2 == 1) & (place < 2 * targets)
        pool = self._records(subject, tf.gather(order, place[~predicted], axis=1), candidates)
        queries = tf.gather(order, place[predicted], axis=1)
        queries = self._records(subject, queries, self.predictions)
        inputs, answers, recorded = self._answers(queries, draws.fold_in(seed, _CODE))
        known = tf.gather(self.theta_known, subject)
        side = draws.uniform(draws.fold_in(seed, _SIDE), [batch, 1]) < 0.5
        # Who has no recorded parameters is after predictions.
        after_theta = side & tf.reduce_any(known, axis=1, keepdims=True)
        dims, fields, parameters = (self.spec.sizes[letter] for letter in "DFP")
        return {
            "context_design": tf.zeros([batch, 0, dims]),
            "context_outcome": tf.zeros([batch, 0, fields]),
            "context_status": tf.zeros([batch, 0, fields], tf.int32),
            "context_mask": tf.zeros([batch, 0], tf.bool),
            "known_theta": tf.zeros([batch, parameters]),
            "known_mask": tf.zeros([batch, parameters], tf.bool),
            "theta_mask": known & after_theta,
            "target_design": inputs,
            "target_mask": recorded & ~after_theta,
            "candidate_design": pool["design"],
            "candidate_mask": pool["exists"],
            "theta": tf.gather(self.theta, subject),
            "theta_observed": known,
            "target_outcome": answers,
            "target_observed": recorded,
            "candidate_outcome": pool["outcome"],
            "candidate_status": tf.where(pool["observed"], OBSERVED, MISSING),
            "candidate_cost": tf.ones([batch, candidates]),
        }

    def _records(self, subject, order, size) -> dict:
        """The first `size` of the records `order` [B, n] of each subject, padded."""
        order = order[:, :size]
        room = size - order.shape[1]
        found = {
            "design": self.designs,
            "outcome": self.outcomes,
            "observed": self.observed,
            "exists": self.exists,
        }
        for name, array in found.items():
            picked = tf.gather(tf.gather(array, subject), order, batch_dims=1)
            found[name] = tf.pad(picked, [[0, 0], [0, room], [0, 0]][: picked.shape.rank])
        return found

    def _answers(self, queries, seed):
        """Inputs [B, M, D], outcomes [B, M] and whether these are recorded."""
        if len(self.spec.outcomes) == 1:
            return queries["design"], queries["outcome"][..., 0], queries["observed"][..., 0]
        inputs, answers = coded_queries(self.spec, queries["design"], queries["outcome"], seed)
        observed = tf.cast(queries["observed"], tf.float32)
        _, recorded = coded_queries(self.spec, queries["design"], observed, seed)
        return inputs, answers, recorded > 0.5


def _numbers(name, array) -> np.ndarray:
    if np.ma.isMaskedArray(array):
        # What is masked was not recorded, whatever number lies behind the mask.
        array = np.ma.filled(array.astype(np.float64), np.nan)
    try:
        return np.asarray(array, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected {name} as an array of numbers; received {error}") from error


def _padded(array, most) -> np.ndarray:
    """[most, ...], with NaN behind what there is."""
    rest = [[0, most - len(array)], [0, 0]]
    return np.pad(array.astype(np.float64), rest, constant_values=np.nan)


def _check_records(spec, designs, outcomes, observed, theta) -> None:
    exists = observed.any(axis=2)
    few = np.flatnonzero(exists.sum(axis=1) < 2)
    if len(few):
        raise InputError(
            "expected at least two recorded outcomes of every subject, one to learn from and one "
            f"to predict; received {int(exists[few[0]].sum())} of subject {few[0]}"
        )
    if np.isinf(outcomes).any():
        raise InputError("expected finite outcomes, or NaN where none is recorded; received inf")
    check_designs(spec, "designs to hold", designs[exists])
    if np.isnan(designs[exists]).any():
        raise InputError("expected a design where an outcome is recorded; received NaN")
    check_outcomes(spec, "outcomes to hold", outcomes)
    check_theta(spec, "theta to hold", theta)
