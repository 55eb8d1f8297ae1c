"""Depth: how far, across all layers, information about harm is gone from a model, beside the one it was made from."""
