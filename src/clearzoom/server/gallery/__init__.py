"""The pictures and models that the server offers."""
