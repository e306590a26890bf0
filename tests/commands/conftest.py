"""Models to export and to serve, as the tests of serving have them."""

from tests.serving.conftest import (  # noqa: F401
    tiny_batch,
    tiny_model,
    tiny_models,
    toy_models,
)
