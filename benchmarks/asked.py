"""How scripts here name a model: NAME, a path of an ONNX file, or either with @STRENGTH."""

from pathlib import Path

from clearzoom import Settings, Wanted


def settings_of(model: str, scale: int) -> Settings:
    """Give the plain command's settings, but for the model and its strength.

    Args:
        model: e.g. "photo", "run/photo-x4.onnx" or "photo-crisp@0.5".
        scale: of the enlargement.
    """
    name, _, strength = model.partition("@")
    return Settings(Wanted(scale), name, strength=float(strength or 1))


def short_name(model: str) -> str:
    """Give what a label has room for: a file without its folder and suffix."""
    name, at, strength = model.partition("@")
    return (Path(name).stem if name.endswith(".onnx") else name) + at + strength
