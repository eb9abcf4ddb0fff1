"""Prepare a folder of pictures for tuning: crops to train on, and others that are held back."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clearzoom.core.arrays import Levels
from clearzoom.errors import InputError, OutputError, UnreadablePictureError
from clearzoom.io.folder import picture_files
from clearzoom.io.reading import decode_rgb8
from clearzoom.io.writing import write_rgb8

TRAIN, CHECK, HELD_BACK = "train", "check", "held-back"

_CROP_PX = 480
_MOST_CROPS = 160
"""Together they have 37 million px, all of which stay in memory."""
_CHECKED_CROPS = 2
_WHOLE_FROM = 8
"""From this number of pictures on, whole ones are held back; else a quarter of each."""
_HELD_SHARE, _MOST_HELD = 8, 12
_LEAST_HELD_PX = 64
_FLAT_LEVELS = 1.0
"""Standard deviation in levels; a crop below it has nothing to learn or to measure."""


@dataclass(frozen=True)
class Prepared:
    """Numbers of pictures used, of training crops and of held-back crops."""

    pictures: int
    crops: int
    held_back: int


def prepare(source: Path, target: Path, least_px: int, say: Callable[[str], object]) -> Prepared:
    """Write PNG crops into target's folders ``train``, ``check`` and ``held-back``.

    Crops in ``held-back`` are in neither of the others; ``check`` repeats a few of ``train``.

    Args:
        source: folder of pictures; unreadable ones are left out.
        target: the folder to make, whole or not at all.
        least_px: side of the smallest crop that training can use.
        say: called with a line for each picture that is left out.

    Raises:
        MissingFileError: the folder is missing or holds no picture.
        InputError: none of the pictures can be used.
        OutputError: ``target`` cannot be written.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        for part in (TRAIN, CHECK, HELD_BACK):
            (partial / part).mkdir(parents=True)
        files = _chosen(picture_files(source), say)
        prepared = _write(files, partial, least_px, say)
        partial.rename(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}") from error
    return prepared


def counted(target: Path) -> Prepared:
    """Count the crops that an earlier sitting prepared."""
    pictures = {path.name.rpartition("-")[0] for path in target.glob("*/*.png")}
    crops, held_back = (len(list((target / part).glob("*.png"))) for part in (TRAIN, HELD_BACK))
    return Prepared(len(pictures), crops, held_back)


def _chosen(files: list[Path], say: Callable[[str], object]) -> list[Path]:
    if len(files) <= _MOST_CROPS:
        return files
    say(f"{len(files)} pictures: {_MOST_CROPS} of them are used, evenly by name")
    places = np.linspace(0, len(files) - 1, _MOST_CROPS).round().astype(int)
    return [files[place] for place in places]


def _write(
    files: list[Path], folder: Path, least_px: int, say: Callable[[str], object]
) -> Prepared:
    whole = len(files) >= _WHOLE_FROM
    count = min(max(2, len(files) // _HELD_SHARE), _MOST_HELD)
    held = set(np.linspace(0, len(files) - 1, count).round().astype(int)) if whole else set()
    most = max(1, _MOST_CROPS // len(files))
    known: set[str] = set()
    used = crops = measured = 0
    for place, path in enumerate(files):
        picture = _decoded(path, known, say)
        if picture is None:
            continue
        if min(picture.shape[:2]) < least_px:
            say(
                f"left out {path.name}: {picture.shape[1]}x{picture.shape[0]} px, at least "
                f"{least_px} px on each side are needed"
            )
            continue
        learn, keep = (None, picture) if place in held else (picture, None)
        if not whole and _can_be_parted(picture, least_px):
            learn, keep = _parted(picture)
        stem = f"{place:04d}-{path.stem}"
        written = 0
        if keep is not None and (best := _most_detailed(keep, 1)):
            write_rgb8(folder / HELD_BACK / f"{stem}-0.png", best[0])
            measured, written = measured + 1, written + 1
        for i, crop in enumerate(_most_detailed(learn, most) if learn is not None else []):
            write_rgb8(folder / TRAIN / f"{stem}-{i}.png", crop)
            crops, written = crops + 1, written + 1
            if crops <= _CHECKED_CROPS:
                write_rgb8(folder / CHECK / f"{stem}-{i}.png", crop)
        used += written > 0
        if not written:
            say(f"left out {path.name}: it is flat, there is nothing to learn from it")
    if not crops or not measured:
        what = "to learn from" if not crops else "to hold back"
        raise InputError(
            f"of {len(files)} pictures there is none {what}: give pictures with detail, of at "
            f"least {2 * least_px}x{least_px} px; {_WHOLE_FROM} or more are better"
        )
    if not whole:
        say(f"only {len(files)} pictures: a quarter of each is held back; more are better")
    return Prepared(used, crops, measured)


def _decoded(path: Path, known: set[str], say: Callable[[str], object]) -> Levels | None:
    try:
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if digest in known:  # trained on and held back, it would measure nothing
            say(f"left out {path.name}: it is the same file as another")
            return None
        known.add(digest)
        return decode_rgb8(content)
    except UnreadablePictureError as error:
        say(f"left out {path.name}: it cannot be read ({error})")
    except OSError as error:
        say(f"left out {path.name}: it cannot be read ({error.strerror})")
    return None


def _can_be_parted(picture: Levels, least_px: int) -> bool:
    long: int = max(picture.shape[:2])
    return long // 4 >= _LEAST_HELD_PX and long - long // 4 >= least_px


def _parted(picture: Levels) -> tuple[Levels, Levels]:
    """Give three quarters of the longer side to train on, and the last quarter."""
    if picture.shape[0] > picture.shape[1]:
        at = picture.shape[0] - picture.shape[0] // 4
        return picture[:at], picture[at:]
    at = picture.shape[1] - picture.shape[1] // 4
    return picture[:, :at], picture[:, at:]


def _most_detailed(picture: Levels, most: int) -> list[Levels]:
    """Cut a grid of crops, and give those with the strongest detail; never flat ones."""
    height, width = (min(side, _CROP_PX) for side in picture.shape[:2])
    grid = [
        np.ascontiguousarray(picture[top : top + height, left : left + width])
        for top in range(0, picture.shape[0] - height + 1, height)
        for left in range(0, picture.shape[1] - width + 1, width)
    ]
    rough = [crop for crop in grid if crop.std() >= _FLAT_LEVELS]
    return sorted(rough, key=_detail, reverse=True)[:most]


def _detail(crop: Levels) -> float:
    grey = crop.mean(axis=2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())
