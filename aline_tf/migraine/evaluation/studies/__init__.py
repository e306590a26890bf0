"""Studies beside the evaluation: what a single claim rests on, each measured by itself."""
