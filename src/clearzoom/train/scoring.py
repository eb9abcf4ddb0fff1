"""The scores on a card: what the plain command gives on test sets, bicubic beside."""

from pathlib import Path
from typing import get_args

from clearzoom.losses.source import heads_file, network_file
from clearzoom.metrics.evaluate import evaluate
from clearzoom.metrics.faults import RECIPE, Kind
from clearzoom.pipeline.command_method import plain_command
from clearzoom.weights.card import FaultScores, Scores

JPEG_QUALITY = 60
"""Of the LR pictures in the extra rows for the smallest test set."""


def sets_in(folder: Path) -> list[Path]:
    """List the folders of HR pictures in a folder, the smallest first.

    Args:
        folder: holds a folder for each test set.
    """
    return sorted((path for path in folder.iterdir() if path.is_dir()), key=_size_of)


def clean_scores(model: str, scale: int, sets: list[Path]) -> list[Scores]:
    """Measure by the protocol, and on the first set once more with LR as JPEG.

    Args:
        model: a name, or an ONNX file whose card lies beside it.
        scale: of the enlargement.
        sets: folders of HR pictures.

    Returns:
        For each set bicubic's row and the model's.
    """
    method = plain_command(model, scale)
    rows = [row for folder in sets for row in evaluate(folder, scale, [method])]
    if sets:
        rows += evaluate(sets[0], scale, [method], JPEG_QUALITY)
    return [row.as_scores() for row in rows]


def fault_scores(model: str, scale: int, sets: list[Path]) -> list[FaultScores]:
    """Measure on LR pictures with faults, by the recipe ``faults-1``.

    LPIPS is among the numbers where its weights were fetched.

    Args:
        model: as for ``clean_scores``, and so are the others.
        scale: of the enlargement.
        sets: folders of HR pictures.

    Returns:
        For each set and level bicubic's row and the model's.
    """
    method, lpips = plain_command(model, scale), lpips_is_there()
    rows = []
    for folder in sets:
        for level in get_args(Kind):
            for row in evaluate(folder, scale, [method], lpips=lpips, faults=level):
                stated = row.as_scores().model_dump() | {"data": folder.resolve().name}
                rows.append(FaultScores(recipe=RECIPE, level=level, **stated))
    return rows


def lpips_is_there() -> bool:
    """Whether LPIPS' weights were fetched, so that it can be measured."""
    return network_file("alexnet").is_file() and heads_file("alexnet").is_file()


def _size_of(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())
