"""Location finding: the exact posterior on a grid, and the greedy policy on it."""
