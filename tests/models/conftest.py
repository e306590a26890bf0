"""A tiny network with every kind of parameter and outcome, built once."""

import pytest

from tests.models.batches import EVERY_KIND, SIZES
from tests.seeds import seed_weights


@pytest.fixture(scope="session", params=[0, 4], ids=["plain", "relations"])
def network(request):
    """An untrained ALINE, without and with relative places; tests never change it."""

    from aline_tf.models.aline import ALINE

    seed_weights(5)
    model = ALINE(EVERY_KIND, **SIZES, relative_position_dim=request.param)
    model.build()
    return model


@pytest.fixture(scope="session")
def answer(network):
    """The network as one compiled function of any batch, as numpy."""
    import tensorflow as tf

    from aline_tf.batch import BATCH_FIELDS, field_dtype

    sizes = EVERY_KIND.sizes
    signature = {
        name: tf.TensorSpec([sizes.get(letter) for letter in letters], field_dtype(name))
        for name, letters in BATCH_FIELDS.items()
    }
    compiled = tf.function(lambda batch: network(batch), input_signature=[signature])
    return lambda batch: {name: value.numpy() for name, value in compiled(batch).items()}
