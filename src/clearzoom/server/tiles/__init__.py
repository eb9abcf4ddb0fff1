"""Tiles: original and inferred pixels, rendered, encoded and cached."""
