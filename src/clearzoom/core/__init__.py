"""Geometry and colour on arrays: numpy only, no files, no networks."""
