"""Metrics: a model in, named scores out."""
