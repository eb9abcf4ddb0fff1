"""The weights that are installed with clearzoom."""

from pathlib import Path

from clearzoom.models.card import Card, read_card

FOLDER = Path(__file__).parent


def released() -> list[Card]:
    """Read the cards of all released weights, by name and scale."""
    return [read_card(path) for path in sorted(FOLDER.glob("*.json"))]
