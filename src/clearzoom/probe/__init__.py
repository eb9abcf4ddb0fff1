"""Measure a foreign network by running it, and add it to the user's own models."""
