"""A .keras file loads in a fresh process after `import aline_tf` alone."""

import subprocess
import sys

import numpy as np
import pytest

from tests.models.batches import EVERY_KIND, SIZES, random_batch

LOAD = "print(keras.saving.load_model({path!r}).policy_head.mlp.outer.bias.numpy()[0])"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    from aline_tf.models.aline import ALINE

    model = ALINE(EVERY_KIND, **SIZES)
    model(random_batch(1))
    model.policy_head.mlp.outer.bias.assign([0.25])
    path = tmp_path_factory.mktemp("keras") / "model.keras"
    model.save(path)
    return str(path)


@pytest.mark.parametrize("first", ["import aline_tf, keras", "import keras, aline_tf"])
def test_a_file_loads_in_a_fresh_process(saved, first):
    code = f"{first}; {LOAD.format(path=saved)}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    np.testing.assert_allclose(float(done.stdout), 0.25)


def test_importing_the_package_still_loads_no_keras():
    code = "import sys, aline_tf; assert not {'keras', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
