"""What acts within somebody else's trainer."""
