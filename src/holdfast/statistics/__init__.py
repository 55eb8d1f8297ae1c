"""Statistics: intervals, the crossing of a threshold, and the attacker's cost multiplier. None stays None."""
