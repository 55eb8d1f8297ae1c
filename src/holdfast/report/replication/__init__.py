"""Replications of a paper's tables: what was published beside what was measured."""
