"""The command line, ``clearzoom``."""
