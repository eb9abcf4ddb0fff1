"""Enlargements that run as jobs."""
