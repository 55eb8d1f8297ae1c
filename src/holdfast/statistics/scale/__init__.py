"""One scale for all: what many subjects can do on many items, from sparse scores, and what follows from that."""
