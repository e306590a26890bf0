"""The steps, each in a file of its own; a step that was released never changes."""
