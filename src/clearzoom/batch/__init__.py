"""Jobs: one picture file, or a folder of them."""
