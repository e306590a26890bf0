"""Known first weights, without what `keras.utils.set_random_seed` does besides."""

import random


def seed_weights(seed: int) -> None:
    """Seeds the generator that Keras takes the seeds of first weights from, which is Python's.

    `keras.utils.set_random_seed` would seed TensorFlow's too, which nothing here draws from
    (tests/test_architecture.py), and TensorFlow then forgets every kernel and every graph it has
    ready: the next call of each is as slow as its first.
    """
    random.seed(seed)
