"""Networks, their counts and their export."""
