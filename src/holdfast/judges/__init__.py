"""Judges: how much harm an answer does, by whoever can tell."""
