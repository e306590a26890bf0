"""Functions of TensorFlow run as they are written, one operation after the other.

To trace a training step takes as long as some tens of steps without: what tests train for one step
or a few, to see what comes out of it, they train without graphs. That the numbers are the same is
seen in `tests/training/test_trainer.py`.
"""

import contextlib


@contextlib.contextmanager
def without_graphs():
    """While it is open, `tf.function` compiles nothing."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)
