"""Suites: named and versioned batteries of attacks, each in sizes that hold one another."""
