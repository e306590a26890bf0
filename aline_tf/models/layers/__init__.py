"""Keras layers of the model, one a file."""
