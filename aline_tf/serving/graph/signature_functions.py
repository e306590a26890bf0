"""The signatures of a model as graph functions, from named tensors to named tensors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from aline_tf.batch import BATCH_FIELDS, field_dtype
from aline_tf.serving.graph import checks
from aline_tf.serving.limits import Limits
from aline_tf.serving.signatures import NO_COUNT, SIGNATURES, counts, dtype, free_shape

#: Score of a candidate that may not be chosen: far below any logit, still finite.
NOT_ALLOWED = -1e9


class SignatureFunctions(tf.Module):
    """The signatures of one model, as functions from named tensors to a dict of named tensors.

    Only the variables are tracked, so that the SavedModel holds no Keras object.

    Args:
        model: an `ALINE` model, or anything with its `spec`, `variables`, call and summaries.
        limits: sizes above which a request is refused.

    Raises:
        InvalidArgumentError: (`tf.errors`) by a function that is called with what its checks
            refuse.

    Example:
        >>> import aline_tf
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2)
        >>> model.build()
        >>> batch = empty_batch(SPEC.sizes | {"N": 5})
        >>> SignatureFunctions(model).propose(**batch)["scores"].shape
        TensorShape([1, 5])
    """

    def __init__(self, model: Any, limits: Limits | None = None):
        super().__init__()
        self._model = _Untracked(model)
        self.weights = [getattr(variable, "value", variable) for variable in model.variables]
        self._sizes = dict(model.spec.sizes)
        self._limits = limits or Limits()
        # Functions of their own, so that they are traced, stored and loaded once for all of them;
        # TensorFlow runs them as if they stood where they are called, without what is not used.
        parts = {
            part.__name__: tf.function(part, autograph=False)
            for part in (self._read, self._outcomes, self._parameters)
        }
        batch = {
            name: tf.TensorSpec(free_shape(name, self._sizes), field_dtype(name), name=name)
            for name in BATCH_FIELDS
        }
        weights = [tf.TensorSpec(weight.shape, weight.dtype) for weight in self.weights]
        parts["_forward"] = tf.function(
            self._forward, input_signature=[weights, batch], autograph=False
        )
        self._parts = _Untracked(parts)

    def signature(self, name: str) -> Any:
        """The graph function of signature `name`, with free B, C, M and N.

        Its counts have a default, which the SavedModel keeps for requests without.
        """
        names = (*SIGNATURES[name], *counts(name))
        specs = [
            tf.TensorSpec(free_shape(field, self._sizes), dtype(field), name=field)
            for field in names
        ]

        def function(*tensors):
            return getattr(self, name)(**dict(zip(names, tensors, strict=True)))

        function.__name__ = name
        # tf.function reads the names and the defaults here.
        kind, none = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
        defaults = {count: tf.constant([NO_COUNT]) for count in counts(name)}
        function.__signature__ = inspect.Signature(
            [inspect.Parameter(field, kind, default=defaults.get(field, none)) for field in names]
        )
        return tf.function(function, input_signature=specs, autograph=False)

    def predict(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Outcomes at the target designs."""
        outputs, batch = self._run(inputs, ("target_raw",))
        return self._part(self._outcomes, outputs, batch, quantiles=True)

    def infer(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Posterior of every parameter."""
        outputs, _ = self._run(inputs, ("theta_raw",))
        return self._part(self._parameters, outputs, quantiles=True)

    def propose(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Scores over the candidates and the chosen index."""
        outputs, batch = self._run(inputs, ("candidate_logits",))
        return choice(outputs["candidate_logits"], batch["candidate_mask"])

    def step(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """All three from one pass; quantiles, which cost as much as the pass, are left out."""
        return self._all_three(inputs, quantiles=False)

    def answer(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """All three from one pass."""
        return self._all_three(inputs, quantiles=True)

    def distributions(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """The parameters of all distributions, as the heads of the model give them."""
        names = ("theta_raw", "target_raw", "candidate_logits")
        outputs, _ = self._run(inputs, names)
        return {name: outputs[name] for name in names}

    def _all_three(self, inputs: dict[str, tf.Tensor], quantiles: bool) -> dict[str, tf.Tensor]:
        outputs, batch = self._run(inputs, ("target_raw", "theta_raw", "candidate_logits"))
        # A design that nobody selected may be NaN: then what happens there is, too.
        finite = checks.finite_rows(inputs["target_design"])
        outcomes = {
            name: tf.where(finite if tensor.shape.rank == 2 else finite[..., None], tensor, nan)
            for name, tensor in self._part(
                self._outcomes, outputs, batch, quantiles=quantiles
            ).items()
            for nan in [tf.constant(float("nan"), tensor.dtype)]
        }
        return (
            outcomes
            | self._part(self._parameters, outputs, quantiles=quantiles)
            | choice(outputs["candidate_logits"], batch["candidate_mask"])
        )

    def _run(
        self, inputs: dict[str, tf.Tensor], used: tuple[str, ...]
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """What the model says about checked inputs, and the whole Batch; `used` are the outputs
        that the signature reads."""
        batch = self._part(self._read, inputs)
        outputs = self._part(self._forward, [weight.read_value() for weight in self.weights], batch)
        read = {name: outputs[name] for name in used if name in outputs}
        with tf.control_dependencies([checks.refuse(checks.finite_outputs(read))]):
            checked = {name: tf.identity(tensor) for name, tensor in read.items()}
        return dict(outputs) | checked, batch

    def _part(self, part: Callable, *arguments: Any, **options: Any) -> dict[str, tf.Tensor]:
        return self._parts.target[part.__name__](*arguments, **options)

    def _read(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The whole Batch of inputs, checked."""
        raw = {name: checks.of_unknown_shape(tensor) for name, tensor in inputs.items()}
        fit = checks.refuse(checks.shape_checks(raw, self._sizes, self._limits))
        with tf.control_dependencies([fit]):
            inputs = {
                name: checks.of_known_shape(tensor, free_shape(name, self._sizes))
                for name, tensor in raw.items()
            }
        fields, of_counts = checks.with_counts(inputs)
        all_targets = "target_design" in fields and "target_mask" not in fields
        sound = checks.refuse(of_counts, checks.value_checks(fields, all_targets))
        with tf.control_dependencies([sound]):
            fields = {name: tf.identity(tensor) for name, tensor in fields.items()}
        return self._completed(checks.readable(fields))

    def _forward(
        self, weights: list[tf.Tensor], batch: dict[str, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        # A part that reads variables itself would be run whole: reading counts as an effect.
        model = self._model.target
        with keras.StatelessScope(list(zip(model.variables, weights, strict=True))):
            return dict(model(batch))

    def _completed(self, fields: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """A whole Batch: what the signature does not take is empty, so that it costs nothing."""
        sizes = {"B": tf.shape(fields["context_design"])[0], "M": 0, "N": 0} | self._sizes
        for name, tensor in fields.items():
            for axis, letter in enumerate(BATCH_FIELDS[name]):
                if letter in ("C", "M", "N"):
                    sizes[letter] = tf.shape(tensor)[axis]
        return {
            name: fields[name]
            if name in fields
            else tf.zeros([sizes[letter] for letter in letters], field_dtype(name))
            for name, letters in BATCH_FIELDS.items()
        }

    def _outcomes(self, outputs: dict, batch: dict, quantiles: bool) -> dict[str, tf.Tensor]:
        return _without_quantiles(self._model.target.target_summary(outputs, batch), quantiles)

    def _parameters(self, outputs: dict, quantiles: bool) -> dict[str, tf.Tensor]:
        summary = _without_quantiles(self._model.target.theta_summary(outputs), quantiles)
        return {f"theta_{name}": tensor for name, tensor in summary.items()}


class _Untracked:
    """Holds an object where tf.Module's attribute tracking does not look."""

    def __init__(self, target: Any):
        self.target = target


def _without_quantiles(summary: dict[str, tf.Tensor], quantiles: bool) -> dict[str, tf.Tensor]:
    # What no output depends on is pruned from the graph.
    return {name: x for name, x in summary.items() if quantiles or name != "quantiles"}


def choice(logits: tf.Tensor, mask: tf.Tensor) -> dict[str, tf.Tensor]:
    """The policy over a masked pool, and its greedy choice.

    Args:
        logits: [B, N]; N may be 0.
        mask: [B, N] bool, False where a candidate may not be chosen.

    Returns:
        dict of scores [B, N], probabilities [B, N] (0 where masked), index [B] int32 (the allowed
        candidate of the highest score, -1 where there is none) and entropy [B] in nats.
    """
    scores = tf.where(mask, logits, tf.constant(NOT_ALLOWED, logits.dtype))
    log_probs = tf.nn.log_softmax(scores, axis=-1)
    probabilities = tf.where(mask, tf.exp(log_probs), tf.zeros_like(scores))
    # argmax refuses an empty pool: a last column that never wins keeps it defined.
    padded = tf.pad(scores, [[0, 0], [0, 1]], constant_values=10 * NOT_ALLOWED)
    best = tf.argmax(padded, axis=-1, output_type=tf.int32)
    return {
        "scores": scores,
        "probabilities": probabilities,
        "index": tf.where(tf.reduce_any(mask, axis=-1), best, -tf.ones_like(best)),
        "entropy": -tf.reduce_sum(tf.where(mask, probabilities * log_probs, 0.0), axis=-1),
    }
