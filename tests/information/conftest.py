"""Tiny networks, as the tests of training have them."""

from tests.training.conftest import make_network, psychometric_network  # noqa: F401
