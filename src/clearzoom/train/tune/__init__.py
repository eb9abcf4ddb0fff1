"""Fine-tune released weights on a person's own pictures."""
