"""Figures that hold for every task: curves, rank histograms, and the style of all."""
