"""Hyper-parameter landscapes that no training has met."""
