"""The scores on a card: the plain command on test sets, with bicubic beside it."""

from pathlib import Path
from typing import get_args

from clearzoom.errors import MissingFileError
from clearzoom.io.folder import picture_files
from clearzoom.losses.source import network_file
from clearzoom.metrics.evaluate import evaluate
from clearzoom.metrics.faults import RECIPE, Kind
from clearzoom.pipeline.command_method import plain_command
from clearzoom.weights.card import FaultScores, Scores

JPEG_QUALITY = 60
"""JPEG quality of the LR pictures in the extra rows of the smallest test set."""


def sets_in(folder: Path) -> list[Path]:
    """List the test sets in a folder, the smallest first.

    Args:
        folder: holds a folder of HR pictures for each test set.

    Raises:
        MissingFileError: there is no such folder, no folder in it, or one of them has no pictures.
    """
    if not folder.is_dir():
        raise MissingFileError(f"no folder {folder} with test sets")
    sets = [path for path in folder.iterdir() if path.is_dir()]
    if not sets:
        raise MissingFileError(
            f"{folder} holds no test sets: put the pictures of each into a folder of its own there"
        )
    return sorted(sets, key=lambda each: len(picture_files(each)))


def clean_scores(model: str, scale: int, sets: list[Path]) -> list[Scores]:
    """Measure by the protocol, and on the first set again with LR as JPEG.

    Args:
        model: a name, or an ONNX file whose card lies beside it.
        scale: the enlargement.
        sets: folders of HR pictures.

    Returns:
        For each set the rows of bicubic and of the model.
    """
    method = plain_command(model, scale)
    rows = [row for folder in sets for row in evaluate(folder, scale, [method])]
    if sets:
        rows += evaluate(sets[0], scale, [method], JPEG_QUALITY)
    return [row.as_scores() for row in rows]


def fault_scores(model: str, scale: int, sets: list[Path]) -> list[FaultScores]:
    """Measure on LR pictures with faults, by the recipe ``faults-1``.

    LPIPS is measured too if its weights were fetched.

    Args:
        model: as for ``clean_scores``.
        scale: the enlargement.
        sets: folders of HR pictures.

    Returns:
        For each set and level the rows of bicubic and of the model.
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
    """Say whether the weights of LPIPS were fetched, so that it can be measured."""
    return network_file("alexnet").is_file()
