"""Decode training pictures: a folder of files, or WebDataset ``.tar`` shards."""

import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.progress import track

from clearzoom.errors import TrainingError, UnreadablePictureError
from clearzoom.io.folder import picture_files
from clearzoom.io.names import is_picture_name
from clearzoom.io.reading import decode_rgb8
from clearzoom.train.processes import console


def encoded_pictures(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Read the encoded pictures of a folder, or of the shards in it, with their names.

    Raises:
        MissingFileError: there are no pictures.
        TrainingError: a shard is damaged, or holds no picture.
    """
    shards = sorted(folder.glob("*.tar")) if folder.is_dir() else []
    if not shards:
        for path in picture_files(folder):
            yield path.name, path.read_bytes()
    for shard in shards:
        found = 0
        try:
            with tarfile.open(shard) as archive:
                for member in archive:
                    file = archive.extractfile(member)
                    if file is not None and is_picture_name(member.name):
                        yield f"{shard.name}/{member.name}", file.read()
                        found += 1
        except (tarfile.TarError, OSError, EOFError) as error:
            raise TrainingError(
                f"the shard {shard} is damaged after {found} pictures ({error}); get it again"
            ) from error
        if not found:
            raise TrainingError(f"the shard {shard} holds no picture; remove it or get it again")


def _decode(named: tuple[str, bytes]) -> npt.NDArray[np.uint8]:
    name, encoded = named
    try:
        return decode_rgb8(encoded)
    except UnreadablePictureError as error:
        raise TrainingError(f"training picture {name} cannot be decoded: {error}") from error


def load_pictures(folder: Path, limit: int | None = None) -> list[npt.NDArray[np.uint8]]:
    """Decode all pictures of a folder or of the shards in it, on all cores, with progress.

    Args:
        folder: holds ``.tar`` shards, else picture files.
        limit: the most pictures, the first by name; None: all.

    Returns:
        (H, W, 3) uint8 RGB each, in the order of names.

    Raises:
        MissingFileError: there are no pictures.
        TrainingError: a picture cannot be decoded, or a shard holds none; the message names it.
    """
    encoded = list(islice(encoded_pictures(folder), limit))
    with ThreadPoolExecutor() as pool:
        decoded = pool.map(_decode, encoded)
        return list(track(decoded, "Decoding", total=len(encoded), console=console()))
