"""What several rooms of tests share; imported as `from helpers.squares import means_of_squares`."""
