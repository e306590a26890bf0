"""Evaluation: simulated subjects, exact oracles, metrics, and the rows they are reported in."""
