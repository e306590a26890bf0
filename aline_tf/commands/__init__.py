"""The sub-commands of aline-tf; arguments are parsed here and nowhere else."""
