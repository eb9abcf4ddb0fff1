"""Enlarge many pictures: a folder, an object store, on this machine or on a Ray cluster."""
