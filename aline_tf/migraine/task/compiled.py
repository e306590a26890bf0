"""A network whose forward pass is one graph for every size of batch: many rows, quickly."""

from __future__ import annotations

import tensorflow as tf

from aline_tf.batch import BATCH_FIELDS, field_dtype


class CompiledNetwork:
    """Stands in for a model wherever it is only read.

    The graph is traced once, with rows, context, targets and pool of any length. Everything but the
    call is the model's own.

    Args:
        model: an ALINE.
    """

    def __init__(self, model):
        free, sizes = "BCMN", model.spec.sizes
        signature = {
            name: tf.TensorSpec(
                [None if letter in free else sizes[letter] for letter in letters], field_dtype(name)
            )
            for name, letters in BATCH_FIELDS.items()
        }
        self._model = model
        self._forward = tf.function(model, input_signature=[signature])

    def __call__(self, batch: dict) -> dict:
        """The raw outputs of `aline_tf.models.aline.ALINE` for a Batch."""
        return self._forward({name: tf.convert_to_tensor(batch[name]) for name in BATCH_FIELDS})

    def __getattr__(self, name):
        return getattr(self._model, name)
