"""The sub-commands of `aline-tf migraine`, each reached by its name alone."""
