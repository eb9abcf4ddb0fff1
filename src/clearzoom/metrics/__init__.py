"""The measuring protocol."""
