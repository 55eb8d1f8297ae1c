"""Putting a model, a defence, an attack and metrics together, and running that."""
