"""What is inside a served graph: the signatures of a model, and what they refuse by themselves."""
