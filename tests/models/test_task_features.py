"""What a task's feature map adds to the tokens, and that it never invents a value."""

import numpy as np
import pytest

from aline_tf.batch import MISSING, OBSERVED
from aline_tf.models.aline import ALINE
from aline_tf.tasks.ces import CES, SPEC
from aline_tf.tasks.ces_features import DESIGN_FEATURES, OUTCOME_FEATURES
from tests.models.batches import SIZES, random_batch
from tests.seeds import seed_weights


@pytest.fixture(scope="module")
def model():
    seed_weights(5)
    made = ALINE.for_task(CES(), **SIZES)
    made.build()
    return made


def test_tokens_read_scaled_values_and_features(model):
    designs = model.embedder.design_mlp.inner.kernel.shape[0]
    assert designs == 6 + DESIGN_FEATURES
    context = model.embedder.context_mlp.inner.kernel.shape[0]
    assert context == designs + 3 + OUTCOME_FEATURES + 2 * 3


def test_what_was_not_observed_has_no_features(model):
    batch = random_batch(3, SPEC)
    batch["context_mask"][:] = True
    batch["context_status"][:] = OBSERVED
    batch["context_status"][:, 1] = MISSING
    expected = model(batch)
    batch["context_outcome"][:, 1] = np.nan
    for name, value in model(batch).items():
        assert np.isfinite(value).all()
        np.testing.assert_array_equal(value, expected[name])


def test_padding_of_nan_is_invisible(model):
    batch = random_batch(4, SPEC)
    batch["context_mask"][:] = True
    expected = model(batch)
    padded = dict(batch, context_mask=np.pad(batch["context_mask"], [[0, 0], [0, 1]]))
    for name in ("context_design", "context_outcome", "context_status"):
        fill = 7 if batch[name].dtype.kind == "i" else np.nan
        slot = np.full_like(batch[name][:, :1], fill)
        padded[name] = np.concatenate([batch[name], slot], axis=1)
    for name, value in model(padded).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-5, rtol=1e-5)
