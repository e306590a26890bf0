"""Keras layers and models: embedder, three-stream encoder, heads, and the ALINE network."""
