"""Networks, their cards and their counts."""
