"""Features of a choice between two baskets, and of the answer, as Keras layers.

Whether an answer will leave the ends of the slider depends on U(z) - U(z'), a small difference of
two large numbers, and on u, which spans e^-8 to e^10; neither is easily read off six amounts and a
logit divided by its spread. So designs are also shown as a few reference people would judge them,
and answers on a logarithmic scale:

    n      = ||z - z'||
    v_k    = U_k(z) - U_k(z')      reference person k = 1..21: rho in {.1, .5, .9}, seven shares
    design   (z - z') on an asinh scale, log(1 + n), v_k / (1 + n), asinh(v_k / .2)
    answer   logit, its sign, log |logit|, asinh of it at two finer scales, the two ends

For a person between the references, eta / u lies between the v_k; the logarithm of an answer
between the ends less that of v_k is log u as k would have it.
"""

from __future__ import annotations

import itertools

import keras
import tensorflow as tf

from aline_tf.tasks.ces import GOODS, LOGIT_CLIP, basket_worth

#: Shares of the reference people: equal, most in one good, and half each in two.
_SHARES = (
    (1 / 3, 1 / 3, 1 / 3),
    (0.7, 0.15, 0.15),
    (0.15, 0.7, 0.15),
    (0.15, 0.15, 0.7),
    (0.45, 0.45, 0.1),
    (0.45, 0.1, 0.45),
    (0.1, 0.45, 0.45),
)
REFERENCES = tuple(itertools.product((0.1, 0.5, 0.9), _SHARES))
#: How many features a design and an answer have.
DESIGN_FEATURES = GOODS + 1 + 2 * len(REFERENCES)
OUTCOME_FEATURES = 7
#: Answers nearer to no preference count as this near: their logarithm is taken.
_SMALLEST = 1e-6


def reference_differences(design) -> tf.Tensor:
    """v_k of designs [..., 6]: [..., 21]."""
    rho = tf.constant([rho for rho, _ in REFERENCES])
    shares = tf.constant([shares for _, shares in REFERENCES])
    first, second = design[..., None, :GOODS], design[..., None, GOODS:]
    return basket_worth(rho, shares, first) - basket_worth(rho, shares, second)


def design_features(design) -> tf.Tensor:
    """Designs [..., 6] in amounts from 0 to 100 as features of the order of one: [..., 46]."""
    difference = design[..., :GOODS] - design[..., GOODS:]
    size = 1.0 + tf.norm(difference, axis=-1, keepdims=True)
    worth = reference_differences(design)
    return tf.concat(
        [
            tf.asinh(difference / 10.0) / 2.0,
            tf.math.log(size) - 3.5,
            2.0 * worth / size,
            tf.asinh(worth / 0.2) / 4.0,
        ],
        axis=-1,
    )


def outcome_features(outcome) -> tf.Tensor:
    """Answers [..., 3] (logit, at the low end, at the high end) as features of the order of one:
    [..., 7]."""
    logit = outcome[..., :1]
    log_size = tf.math.log(tf.maximum(tf.abs(logit), _SMALLEST))
    return tf.concat(
        [
            logit / LOGIT_CLIP,
            tf.sign(logit),
            (log_size + 1.0) / 4.0,
            tf.asinh(logit / 0.01) / 8.0,
            tf.asinh(logit / 1e-4) / 12.0,
            outcome[..., 1:],
        ],
        axis=-1,
    )


@keras.saving.register_keras_serializable("aline_tf")
class CESDesignFeatures(keras.layers.Layer):
    """Two baskets as the reference people judge them: designs [..., 6] in amounts from 0 to 100 to
    features of the order of one, [..., 46]. Without weights.

    Example:
        >>> import numpy as np
        >>> from aline_tf.tasks.ces_features import CESDesignFeatures
        >>> CESDesignFeatures()(np.array([[10, 20, 30, 30, 20, 10]], "float32")).shape
        TensorShape([1, 46])
    """

    def __init__(self, **kwargs):
        # Amounts in natural units: half precision would not tell their differences.
        super().__init__(autocast=False, **kwargs)

    def call(self, design):
        return design_features(design)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], DESIGN_FEATURES)


@keras.saving.register_keras_serializable("aline_tf")
class CESOutcomeFeatures(keras.layers.Layer):
    """An answer on logarithmic scales: outcomes [..., 3] (logit, at the low end, at the high end)
    to features of the order of one, [..., 7]. Without weights.

    Example:
        >>> import numpy as np
        >>> from aline_tf.tasks.ces_features import CESOutcomeFeatures
        >>> CESOutcomeFeatures()(np.array([[0.5, 0.0, 0.0]], "float32")).shape
        TensorShape([1, 7])
    """

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)

    def call(self, outcome):
        return outcome_features(outcome)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], OUTCOME_FEATURES)
