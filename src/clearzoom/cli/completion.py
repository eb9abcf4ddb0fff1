"""What the shell completes after an option; nothing slow is loaded for it."""

import re
from collections.abc import Callable
from typing import Any

from clearzoom.core.paper import PAPER_MM
from clearzoom.weights.shipped import FOLDER
from clearzoom.weights.user_models import own_folder

_CARD = re.compile(r"(?P<name>.+)-x(?P<scale>[0-9]+)")


def words(*right: str) -> Callable[[str], list[str]]:
    """Complete one of some words.

    Args:
        right: the words.

    Returns:
        A function for Typer's ``autocompletion``.
    """

    def completed(incomplete: str) -> list[str]:
        return [word for word in right if word.startswith(incomplete)]

    return completed


def models(incomplete: str) -> list[str]:
    """Complete the name of a released or own model, by the names of the cards."""
    return sorted({name for name, _ in _cards() if name.startswith(incomplete)})


def own_models(incomplete: str) -> list[str]:
    """Complete the name of one of the user's own models."""
    found = (_CARD.fullmatch(path.stem) for path in own_folder().glob("*.json"))
    return sorted({each["name"] for each in found if each and each["name"].startswith(incomplete)})


def scales(ctx: Any, incomplete: str) -> list[str]:
    """Complete a scale for which the model on the command line has weights."""
    model = ctx.params.get("model") or ctx.params.get("name")
    found = {scale for name, scale in _cards() if model in (None, name)}
    return sorted(scale for scale in found or {"2", "3", "4"} if scale.startswith(incomplete))


def prints(incomplete: str) -> list[str]:
    """Complete the name of a paper, at 300 dpi."""
    return [f"{name}@300dpi" for name in PAPER_MM if name.startswith(incomplete)]


def _cards() -> set[tuple[str, str]]:
    found = set()
    for folder in (FOLDER, own_folder()):
        for path in folder.glob("*.json"):
            if card := _CARD.fullmatch(path.stem):
                found.add((card["name"], card["scale"]))
    return found
