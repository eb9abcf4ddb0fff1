"""Training, resumable at any step."""
