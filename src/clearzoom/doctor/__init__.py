"""Say what is installed here, what works, how fast it is, and where files lie."""
