"""Training: the library's loop, once. Every step of every method is driven from here."""
