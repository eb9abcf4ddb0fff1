"""The released weights of clearzoom as safetensors with their cards, beside this file."""
