"""The contract of a simulator: `Task`, written in TensorFlow with stateless seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import OBSERVED
from aline_tf.errors import InputError
from aline_tf.spec import TaskSpec


class ColumnLikelihood(NamedTuple):
    """log p(y | x, theta) of one outcome under many parameters, in the form a processor likes.

    A column is one parameter of L draws, [L]. Written on columns, a likelihood is one pass over
    memory without any short axis to sum over. What depends on the design and the outcome alone is
    worked out before that pass, as a few numbers. Both parts are for the inside of a `tf.function`.

    Attributes:
        numbers: (design [..., D], outcome [..., F]) -> [..., n], all that the second part reads.
        of_columns: (P columns [L], numbers [n] of one outcome) -> log p [L], in nats.

    Example:
        >>> import tensorflow as tf
        >>> from aline_tf.tasks import LocationFinding
        >>> likelihood = LocationFinding().column_likelihood()
        >>> numbers = likelihood.numbers(tf.constant([0.5, 0.5]), tf.constant([1.0]))
        >>> likelihood.of_columns([tf.zeros(7), tf.ones(7)], numbers).shape
        TensorShape([7])
    """

    numbers: Callable
    of_columns: Callable


def uniform_designs(spec: TaskSpec, seed, batch: int, count: int) -> tf.Tensor:
    """Designs drawn uniformly between the bounds; of a one-of-k group one name is 1, each equally
    often; the code of an outcome stays 0, because a measurement is not of one outcome alone.

    Args:
        spec: the task's.
        seed: int32 [2].
        batch, count: B and N.

    Returns:
        float32 [B, N, D].

    >>> from aline_tf import draws
    >>> from aline_tf.spec import Channel, TaskSpec
    >>> spec = TaskSpec(
    ...     "drugs", ("dose", "drug_a", "drug_b"), (0.0,) * 3, (10.0, 1.0, 1.0),
    ...     (Channel("y"),), (Channel("y"),), (), 5, one_of=(("drug_a", "drug_b"),),
    ... )
    >>> bool(tf.reduce_all(tf.reduce_sum(uniform_designs(spec, [1, 2], 3, 4)[..., 1:], -1) == 1.0))
    True
    """
    low, high = tf.constant(spec.design_low), tf.constant(spec.design_high)
    design = draws.uniform(seed, [batch, count, len(spec.design_names)], low, high)
    columns = tf.unstack(design, axis=-1)
    for place, group in enumerate(spec.groups):
        logits = tf.zeros([batch, count, len(group)])
        chosen = draws.categorical(draws.fold_in(seed, place + 1), logits)
        for index, column in enumerate(group):
            columns[column] = tf.cast(tf.equal(chosen, index), tf.float32)
    for column in spec.outcome_code:
        columns[column] = tf.zeros_like(columns[column])
    return tf.stack(columns, axis=-1)


def of_shape(drawn, *sizes) -> tf.Tensor:
    """A draw whose shape a graph knows and checks, also where what made it tells none, as
    `tf.numpy_function`: tracing ends at a shape that nobody knows, and a wrong one broadcasts.

    Args:
        drawn: what a method of a task returned.
        *sizes: of its dimensions; those that are no whole number yet are left open.

    Returns:
        the same tensor.
    """
    return tf.ensure_shape(drawn, [size if isinstance(size, int) else None for size in sizes])


def coded_queries(spec: TaskSpec, inputs, measured, seed) -> tuple[tf.Tensor, tf.Tensor]:
    """Inputs [B, M, D] about one outcome each, and the answers [B, M] among fields [B, M, F]."""
    fields = [field.name for field in spec.fields]
    missing = [channel.name for channel in spec.outcomes if channel.name not in fields]
    if missing:
        raise InputError(
            f"expected every one of several outcomes to be a field of task {spec.name!r} "
            f"({', '.join(fields)}), or a sample_episodes of its own; received {missing[0]!r}"
        )
    count = len(spec.outcomes)
    which = draws.categorical(seed, tf.zeros([*tf.unstack(tf.shape(inputs)[:2]), count]))
    code = tf.one_hot(which, count)
    answers = tf.gather(measured, [fields.index(c.name) for c in spec.outcomes], axis=-1)
    inputs = tf.concat([inputs[..., :-count], code], axis=-1)
    return inputs, tf.reduce_sum(answers * code, axis=-1)


class Task:
    """A prior p(theta), a simulator p(y | x, theta) and a design space.

    A task of one's own gives `spec`, `sample_theta` and `simulate`; `sample_designs` where designs
    are not uniform between their bounds; with `log_likelihood` it can also be scored and taught
    exactly. Everything is TensorFlow in float32, takes a seed (int32 [2]) for every draw and runs
    inside `tf.function`. A simulator in plain NumPy is a `NumpyTask`; data without a simulator are
    a `RecordedDataTask`. `check_contract` says in one sentence what is wrong with a task.

    >>> from aline_tf import draws
    >>> from aline_tf.spec import Channel, Parameter, TaskSpec
    >>> class Line(Task):
    ...     spec = TaskSpec(
    ...         "line", ("x",), (0.0,), (1.0,), (Channel("y"),), (Channel("y"),),
    ...         (Parameter("slope", "real"),), horizon=5,
    ...     )
    ...     def sample_theta(self, seed, batch):
    ...         return draws.normal(seed, [batch, 1])
    ...     def simulate(self, theta, design, seed):
    ...         return theta[:, None] * design + draws.normal(seed, tf.shape(design), 0.0, 0.1)
    >>> Line().sample_episodes(draws.as_seed(1), 2, 5)["candidate_outcome"].shape.as_list()
    [2, 5, 1]
    """

    spec: TaskSpec

    #: M, how many predictive targets a training episode has beside the parameters.
    predictions: int = 8

    #: Share of training episodes that are after predictions: one of the M, or several, alone or
    #: beside parameters. The rest selects parameters alone.
    prediction_share: float = 0.0

    #: What people should know before they train on it, one line; "" for nothing.
    note: str = ""

    #: Whether training episodes have answers that are missing, from which a model then learns what
    #: they mean; a session hides them from a model that has only met complete ones.
    teaches_missing: bool = False

    #: What a simulator that is no TensorFlow raised last, inside a graph; None for nothing.
    failure: Exception | None = None

    #: Weight of each of the M predictive targets in the inference loss; None weighs them alike.
    target_weights: tuple[float, ...] | None = None

    def sample_theta(self, seed, batch: int) -> tf.Tensor:
        """Draws from the prior.

        Args:
            seed: int32 [2].
            batch: B.

        Returns:
            float32 [B, P], inside the support that the specification declares.
        """
        raise NotImplementedError

    def sample_designs(self, seed, batch: int, count: int) -> tf.Tensor:
        """A pool of designs for each row. Default: `uniform_designs` of the specification.

        Args:
            seed: int32 [2].
            batch, count: B and N.

        Returns:
            float32 [B, N, D], between the bounds.
        """
        return uniform_designs(self.spec, seed, batch, count)

    def simulate(self, theta, design, seed) -> tf.Tensor:
        """What measuring each design gives.

        Args:
            theta: [B, P].
            design: [B, N, D].
            seed: int32 [2].

        Returns:
            float32 [B, N, F], in natural units.
        """
        raise NotImplementedError(f"{type(self).__name__} has no simulator")

    #: log p(y | x, theta) for theta [..., P], design [..., D], outcome [..., F], leading
    #: dimensions broadcast; None where no likelihood is known.
    log_likelihood = None

    #: (theta [R, I, P], design [R, C, D], outcome [R, C, F], seen bool [R, C]) -> [R, I], log p of
    #: the outcomes that were seen, together: in the place of `log_likelihood` where outcomes depend
    #: on each other given theta. None where they do not, or where it is not known.
    history_log_likelihood = None

    #: () -> `ColumnLikelihood`, the values of `log_likelihood` at a tenth of the time, where it can
    #: be written so; optional.
    column_likelihood = None

    #: log p(theta) for theta [..., P]; needed beside a likelihood by the exact teacher and wherever
    #: posteriors are refined.
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

    def check_outcome(self, outcome, observed) -> None:
        """Refuses an answer whose fields, each possible by itself, do not go together. Sessions ask
        where the task is at hand. Default: all do.

        Args:
            outcome: [F], in the task's units; 0 where it was not observed.
            observed: bool [F].

        Raises:
            InputError: no answer of this task.
        """

    def feature_layers(self) -> dict:
        """Keras layers by which a model reads this task beside the scaled values: arguments
        `design_features`, `outcome_features` and `history_features` of `ALINE`. Default: none."""
        return {}

    def sample_targets(self, seed, batch: int) -> tf.Tensor:
        """Which parameters each row is after, as met in training: bool [B, P]. Default: all.

        Args:
            seed: int32 [2].
            batch: B.
        """
        return tf.ones([batch, len(self.spec.parameters)], tf.bool)

    def sample_queries(self, theta, input_seed, answer_seed, count: int):
        """Inputs that may be asked about, and what is measured there.

        Of a task with one field the answer is that field, whichever outcome the code in the design
        says it is. Of one with several fields and outcomes each input is about one of them, drawn
        with equal chances, and its answer is the field of that name.

        Args:
            theta: [B, P].
            input_seed, answer_seed: int32 [2].
            count: M.

        Returns:
            designs [B, M, D] and outcomes [B, M].

        Raises:
            InputError: fields and outcomes are several, and an outcome is no field.
        """
        rows = theta.shape[0] if theta.shape[0] is not None else tf.shape(theta)[0]
        sizes = self.spec.sizes
        inputs = of_shape(self.sample_designs(input_seed, rows, count), rows, count, sizes["D"])
        measured = self.simulate(theta, inputs, answer_seed)
        measured = of_shape(measured, rows, count, sizes["F"])
        if len(self.spec.outcomes) == 1 or len(self.spec.fields) == 1:
            return inputs, measured[..., 0]
        return coded_queries(self.spec, inputs, measured, draws.fold_in(input_seed, 1))

    def sample_episodes(self, seed, batch: int, candidates: int) -> dict:
        """Episodes that start with an empty context and have parameter targets only (predictive
        ones, if the task has no parameters).

        Args:
            seed: int32 [2].
            batch: B.
            candidates: N, the size of each row's pool.

        Returns:
            an Episode with C = 0 and M = `predictions` predictive targets of `sample_queries`,
            selected in a share `prediction_share` of the rows (see `aline_tf.batch`).
        """
        theta_seed, design_seed, outcome_seed, target_seed, input_seed, answer_seed = draws.split(
            seed, 6
        )
        dims, fields, parameters = (self.spec.sizes[letter] for letter in "DFP")
        theta = of_shape(self.sample_theta(theta_seed, batch), batch, parameters)
        design = self.sample_designs(design_seed, batch, candidates)
        design = of_shape(design, batch, candidates, dims)
        outcome = self.simulate(theta, design, outcome_seed)
        outcome = of_shape(outcome, batch, candidates, fields)
        inputs, answers = self.sample_queries(theta, input_seed, answer_seed, self.predictions)
        theta_mask = self.sample_targets(target_seed, batch)
        target_mask = (tf.zeros if parameters else tf.ones)([batch, self.predictions], tf.bool)
        if parameters and self.prediction_share:
            own_seed = draws.fold_in(target_seed, 1)
            theta_mask, target_mask = self._with_predictions(theta_mask, own_seed)
        return {
            "context_design": tf.zeros([batch, 0, dims]),
            "context_outcome": tf.zeros([batch, 0, fields]),
            "context_status": tf.zeros([batch, 0, fields], tf.int32),
            "context_mask": tf.zeros([batch, 0], tf.bool),
            "known_theta": tf.zeros([batch, parameters]),
            "known_mask": tf.zeros([batch, parameters], tf.bool),
            "theta_mask": theta_mask,
            "target_design": inputs,
            "target_mask": target_mask,
            "candidate_design": design,
            "candidate_mask": tf.ones([batch, candidates], tf.bool),
            "theta": theta,
            "theta_observed": tf.ones([batch, parameters], tf.bool),
            "target_outcome": answers,
            "target_observed": tf.ones([batch, self.predictions], tf.bool),
            "candidate_outcome": outcome,
            "candidate_status": tf.fill([batch, candidates, fields], OBSERVED),
            "candidate_cost": tf.ones([batch, candidates]),
        }

    def _with_predictions(self, theta_mask, seed):
        """The selections [B, P] and [B, M] where a share of the rows is after predictions: of these
        half after a single one, and a quarter after parameters too."""
        row_seed, count_seed, order_seed, both_seed = draws.split(seed, 4)
        shape = [theta_mask.shape[0], 1]
        row = draws.uniform(row_seed, shape) < self.prediction_share
        several = draws.uniform(count_seed, shape, 2.0 - self.predictions, self.predictions + 1.0)
        count = tf.maximum(tf.cast(tf.floor(several), tf.int32), 1)
        place = tf.argsort(draws.uniform(order_seed, [shape[0], self.predictions]), axis=1)
        both = draws.uniform(both_seed, shape) < 0.25
        return theta_mask & (~row | both), row & (place < count)
