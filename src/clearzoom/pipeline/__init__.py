"""Enlarge one picture: from a file, an array or a region to a result."""
