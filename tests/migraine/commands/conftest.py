"""Commands of one process share the model that they read."""

import pytest


@pytest.fixture(autouse=True)
def _one_model(presets_read_once) -> None:
    """See `presets_read_once`."""
