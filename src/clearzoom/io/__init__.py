"""Reading and writing pictures and files."""
