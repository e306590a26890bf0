"""Random numbers that agree in eager mode, in graphs, under XLA and on other machines.

TensorFlow's stateless float draws differ between the plain graph and XLA for the same seed; its
integer draws agree for non-negative seeds. Everything here starts from those integers.
A seed is an int32 tensor of shape [2]; every function is pure.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from aline_tf.errors import InputError

_POSITIVE = 0x7FFFFFFF


def as_seed(seed) -> tf.Tensor:
    """An int, a pair or a tensor as a non-negative int32 seed [2].

    Args:
        seed: whole numbers of any size: those that are negative, or too large for int32, are spread
            over both words, so that they are seeds of their own.

    Raises:
        InputError: what is no whole number, nor a pair of them.
    """
    if not tf.is_tensor(seed):
        seed = _words(seed)
    seed = tf.convert_to_tensor(seed, tf.int32)
    if seed.shape.rank == 0:
        seed = tf.stack([seed, tf.zeros_like(seed)])
    return tf.bitwise.bitwise_and(seed, _POSITIVE)


def _words(seed):
    """One number or two that fit int32, of a seed that is no tensor."""
    array = np.asarray(seed)
    numbers = array.tolist() if array.shape in ((), (2,)) else [None]
    each = numbers if isinstance(numbers, list) else [numbers]
    if any(isinstance(number, bool) or not isinstance(number, int) for number in each):
        raise InputError(f"expected a seed, a whole number or two of them; received {seed!r}")
    if all(0 <= number < 2**31 for number in each):
        return numbers
    # Signs apart: NumPy's seeds have none.
    entropy = [part for number in each for part in (abs(number), int(number < 0))]
    return np.random.SeedSequence(entropy).generate_state(2).astype(np.int64) & _POSITIVE


def fold_in(seed, data) -> tf.Tensor:
    """A new seed from a seed and an integer (tensor): the same pair gives the same seed."""
    folded = tf.random.experimental.stateless_fold_in(as_seed(seed), tf.cast(data, tf.int32))
    return tf.bitwise.bitwise_and(folded, _POSITIVE)


def split(seed, count: int) -> list[tf.Tensor]:
    """`count` independent seeds."""
    return [fold_in(seed, index) for index in range(count)]


def uniform(seed, shape, low=0.0, high=1.0) -> tf.Tensor:
    """Uniform float32 draws on the open interval (low, high)."""
    bits = tf.random.stateless_uniform(
        shape, as_seed(seed), minval=None, maxval=None, dtype=tf.int32
    )
    # The top 23 bits, plus a half, stay strictly inside (0, 1): ndtri and log never see the ends.
    mantissa = tf.bitwise.bitwise_and(tf.bitwise.right_shift(bits, 9), 0x007FFFFF)
    unit = (tf.cast(mantissa, tf.float32) + 0.5) * tf.constant(2.0**-23, tf.float32)
    return low + (high - low) * unit


def normal(seed, shape, loc=0.0, scale=1.0) -> tf.Tensor:
    """Normal float32 draws."""
    return loc + scale * tf.math.ndtri(uniform(seed, shape))


def bernoulli(seed, probability) -> tf.Tensor:
    """float32 zeros and ones with the given probabilities (any shape)."""
    probability = tf.convert_to_tensor(probability, tf.float32)
    return tf.cast(uniform(seed, tf.shape(probability)) < probability, tf.float32)


def gumbel(seed, shape) -> tf.Tensor:
    """Standard Gumbel float32 draws."""
    return -tf.math.log(-tf.math.log(uniform(seed, shape)))


def categorical(seed, logits) -> tf.Tensor:
    """One index per row of logits [..., N], by the Gumbel trick: int32 [...]."""
    return tf.argmax(logits + gumbel(seed, tf.shape(logits)), axis=-1, output_type=tf.int32)


def subset_order(seed, shape) -> tf.Tensor:
    """A random permutation along the last axis, for every row: int32 of the given shape."""
    return tf.argsort(uniform(seed, shape), axis=-1)
