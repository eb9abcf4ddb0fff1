"""The weights that are installed with clearzoom."""

from pathlib import Path

from clearzoom.weights.card import Card, read_card

FOLDER = Path(__file__).parent


def released() -> list[Card]:
    """Read the cards of all released weights, ordered by name and scale.

    Example:
        >>> next(card.licence for card in released() if (card.name, card.scale) == ("photo", 4))
        'Apache-2.0'
    """
    return [read_card(path) for path in sorted(FOLDER.glob("*.json"))]
