"""Run a network on an array."""
