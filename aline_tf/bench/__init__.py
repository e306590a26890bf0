"""Measurements of speed and of what a training budget buys; each in a process of its own."""
