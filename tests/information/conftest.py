"""Tiny models, as the tests of training have them."""

from tests.training.conftest import make_model, psychometric_model  # noqa: F401
