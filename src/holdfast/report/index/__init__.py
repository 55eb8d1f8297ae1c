"""An index over many studies: every hardened model of theirs in one table, and every cell in a heat map."""
