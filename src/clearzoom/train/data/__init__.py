"""Training data: pictures, their faults, and the patches that a step takes."""
