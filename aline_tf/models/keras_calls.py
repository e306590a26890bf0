"""What is called on any Keras model and means something of its own here."""

from __future__ import annotations

from collections.abc import Iterable

#: Layers of attention, the ones that are adapted when nobody says which.
ATTENTION = ("query", "key_value")
#: What weights may be kept in.
_WEIGHTS = ("float32", "float64")


def require_precision(policy) -> None:
    """Of a dtype policy in which a model can learn.

    Args:
        policy: a `keras.DTypePolicy`.

    Raises:
        ValueError: weights in half precision, where most steps of an optimiser round to nothing, or
            numbers that are no floats.
    """
    computed, kept = policy.compute_dtype, policy.variable_dtype
    if computed not in (*_WEIGHTS, "float16", "bfloat16") or kept not in _WEIGHTS:
        raise ValueError(
            "Expected dtype as 'float32', 'float64', 'mixed_float16' or 'mixed_bfloat16', whose "
            "weights are not in half precision: they would not learn. "
            f"Received: dtype={policy.name!r}"
        )


class KerasCalls:
    """`fit`, `evaluate` and `export` that say what to type instead, and `enable_lora`; a model
    stands behind it: `class ALINE(KerasCalls, keras.Model)`.

    Example:
        >>> import aline_tf
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2)
        >>> model.enable_lora(rank=2)
        >>> len(model.trainable_variables), len(model.non_trainable_variables) > 40
        (5, True)
    """

    def fit(self, *args, **kwargs):
        """As of any Keras model that was compiled with a loss.

        Raises:
            ValueError: it was not: a `Trainer` trains it.
        """
        self._require_loss("fit")
        return super().fit(*args, **kwargs)

    def evaluate(self, *args, **kwargs):
        """As of any Keras model that was compiled with a loss.

        Raises:
            ValueError: it was not: a `Trainer` evaluates it.
        """
        self._require_loss("evaluate")
        return super().evaluate(*args, **kwargs)

    def export(self, filepath, *args, **kwargs):
        """Refuses: a SavedModel of the layers alone could not be asked by name and type.

        Args:
            filepath: where it would be written.
            *args, **kwargs: of `keras.Model.export`.

        Raises:
            ValueError: always; it says what writes one that can.
        """
        raise ValueError(
            f"Expected aline_tf.serving.export_model(model, {str(filepath)!r}), or, of a preset, "
            f"`aline-tf export --model DIR --out {filepath}`: those write named signatures. "
            "Received: export()"
        )

    def enable_lora(self, rank: int, layers: Iterable[str] = ATTENTION) -> None:
        """Freezes the model, and gives some of its layers two thin matrices each to be trained.

        A preset or a `.keras` file of it holds the sum of both, and no LoRA. Compile afterwards.

        Args:
            rank: of the matrices, at least 1.
            layers: names of the `Linear` layers that get them, wherever they are; their biases are
                trained too.

        Raises:
            ValueError: a rank below 1, or a name that no such layer has.
        """
        if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
            raise ValueError(f"Expected rank of 1 or more. Received: rank={rank!r}")
        if not self.built:
            self.build()
        chosen = {layers} if isinstance(layers, str) else set(layers)
        own = list(self._flatten_layers(include_self=False))
        able = {layer.name for layer in own if hasattr(layer, "enable_lora")}
        if not chosen or chosen - able:
            raise ValueError(
                f"Expected layers among {', '.join(sorted(able))}. "
                f"Received: layers={sorted(chosen)}"
            )
        for layer in own:
            layer.trainable = False
        for layer in own:
            if layer.name in chosen and hasattr(layer, "enable_lora"):
                layer.trainable = True
                layer.enable_lora(rank)

    def _require_loss(self, name) -> None:
        if not self.compiled:
            raise ValueError(
                "Expected Trainer(model, task): its compile(recipe=...), fit() and evaluate() have "
                f"the losses of a {type(self).__name__}. Received: {name}() of the model"
            )
