"""Weights as a method handles them: moved and put back, changed by low rank, by arithmetic, or unaligned."""
