"""Measure released weights again, and write the scores onto their cards.

    python benchmarks/rescore.py ../shared/data/test [--model photo] [--set Set5] [--only faults]
    python docs/make_scores.py

For weights that stay while what the plain command does with them changes: ``clearzoom export``
needs a run. Rows of sets that are not measured stay as they are. LPIPS is measured where its
weights were fetched (``clearzoom weights fetch lpips``).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from clearzoom.train.scoring import clean_scores, fault_scores, sets_in
from clearzoom.weights import FOLDER, released
from clearzoom.weights.card import Card, Scores, write_card

Row = TypeVar("Row", bound=Scores)


def merged(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Put new rows where those of the same data and model were; others go to the end."""
    fresh = {_key(row): row for row in new}
    kept = [fresh.pop(_key(row), row) for row in old]
    return [*kept, *fresh.values()]


def _key(row: Scores) -> tuple[str, str, str]:
    return row.data, row.model, getattr(row, "level", "")


def rescored(card: Card, sets: list[Path], only: str | None) -> Card:
    """Measure one card's weights.

    Args:
        card: of released weights.
        sets: folders of HR pictures, the smallest first.
        only: "clean", "faults" or None for both.
    """
    update: dict[str, object] = {}
    if only != "faults":
        update["scores"] = merged(card.scores, clean_scores(card.name, card.scale, sets))
    if only != "clean":
        rows = fault_scores(card.name, card.scale, sets)
        update["fault_scores"] = merged(card.fault_scores, rows)
    return card.model_copy(update=update)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("test_sets", type=Path)
    parser.add_argument("--model", action="append", help="repeatable; without it, all")
    parser.add_argument("--set", action="append", help="repeatable; without it, all")
    parser.add_argument("--only", choices=["clean", "faults"])
    chosen = parser.parse_args()
    sets = [s for s in sets_in(chosen.test_sets) if chosen.set is None or s.name in chosen.set]
    for card in released():
        if chosen.model is None or card.name in chosen.model:
            path = FOLDER / f"{card.name}-x{card.scale}.json"
            write_card(path, rescored(card, sets, chosen.only))
            print(path, flush=True)


if __name__ == "__main__":
    main()
