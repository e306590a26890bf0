"""The sub-commands of ."""
