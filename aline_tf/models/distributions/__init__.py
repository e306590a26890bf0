"""Distributions as pure functions of raw head outputs: mixtures, posteriors, predictions."""
