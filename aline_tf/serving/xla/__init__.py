"""Served signatures as programs of XLA: what is compiled, when, and when it is used."""
