"""Replications: the tables of a paper as cells that are run, with what was published beside what was measured."""
