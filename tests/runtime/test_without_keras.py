"""TensorFlow is imported as if Keras were not there, and Keras can be imported afterwards."""

import subprocess
import sys

PROGRAM = """
import sys
from aline_tf.runtime.without_keras import without_keras

with without_keras():
    import tensorflow as tf
assert "keras" not in sys.modules
assert float(tf.reduce_sum(tf.constant([1.0, 2.0]))) == 3.0
import keras
print(keras.__name__)
"""


def test_tensorflow_without_keras_and_keras_afterwards():
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert found.stdout == "keras\n"
