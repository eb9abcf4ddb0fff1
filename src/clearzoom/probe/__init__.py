"""Measure a network that others made, by running it."""
