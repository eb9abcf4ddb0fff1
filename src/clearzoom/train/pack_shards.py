"""The pictures of a packed training: as many as fit the limit, as WebDataset shards."""

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from clearzoom.errors import ConfigError
from clearzoom.train.config import TrainConfig
from clearzoom.train.data.pictures import encoded_pictures
from clearzoom.train.packing import DATA

MIB = 2**20
_TAR_BLOCK = 512
_ROOM = 64 * 1024
"""Bytes that are reserved for the end of a shard."""
_HELD_BACK = 12
"""At most this many pictures of each validation folder: scoring is no faster on a GPU."""


def bytes_in(folder: Path) -> int:
    """Add up the sizes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def evenly(count: int, share: float) -> list[int]:
    """Choose a share of ``count`` indices, evenly spread.

    Example:
        >>> evenly(10, 0.3)
        [3, 6, 9]
    """
    return [i for i in range(count) if int((i + 1) * share + 1e-9) > int(i * share + 1e-9)]


class Shards:
    """The pictures of all configurations, each folder once, as shards.

    Args:
        folder: of the first part's data.
        configs: by name.
    """

    def __init__(self, folder: Path, configs: Mapping[str, TrainConfig]) -> None:
        self.folder = folder
        train = [each.folder.resolve() for c in configs.values() for each in c.data.train]
        held = [one.resolve() for c in configs.values() for one in c.data.validation]
        self.train = {path: f"train-{i}" for i, path in enumerate(dict.fromkeys(train))}
        self.held = {path: f"held-back-{i}" for i, path in enumerate(dict.fromkeys(held))}

    def moved(self, config: TrainConfig) -> TrainConfig:
        """Copy a configuration, with the folders' names in the pack."""
        data = config.data
        train = tuple(
            each.model_copy(update={"folder": Path(DATA) / self.train[each.folder.resolve()]})
            for each in data.train
        )
        held = tuple(Path(DATA) / self.held[one.resolve()] for one in data.validation)
        data = data.model_copy(update={"train": train, "validation": held})
        return config.model_copy(update={"data": data})

    def write_validation(self) -> None:
        """Write up to 12 pictures of each validation folder."""
        for source, name in self.held.items():
            found = list(encoded_pictures(source))
            chosen = evenly(len(found), min(1.0, _HELD_BACK / len(found)))
            _write(self.folder / name / "held-back.tar", [found[i] for i in chosen])

    def write_training(self, parts: Sequence[Path], limit_bytes: float) -> tuple[int, int]:
        """Write as many training pictures of each folder as fit, evenly spread.

        Args:
            parts: folders of the pack.
            limit_bytes: size of each part, with the files in it already.

        Returns:
            The number of pictures written, and of all pictures.

        Raises:
            ConfigError: there is no room for pictures.
        """
        sizes = {
            source: [_size_in_tar(content) for _, content in encoded_pictures(source)]
            for source in self.train
        }
        rooms = [limit_bytes - bytes_in(part) - _ROOM * len(self.train) for part in parts]
        total = sum(map(sum, sizes.values()))
        share = min(1.0, sum(max(0.0, room) for room in rooms) / total)
        if not any(evenly(len(of), share) for of in sizes.values()) or rooms[0] < 0:
            raise ConfigError(
                f"{limit_bytes / MIB:.0f} MiB leave no room for pictures: the rest takes "
                f"{bytes_in(parts[0]) / MIB:.1f} MiB; raise `limit_mib`, or name with "
                "`there` what the other machine has"
            )
        taken = at = 0
        for source, name in self.train.items():
            chosen = set(evenly(len(sizes[source]), share))
            found = enumerate(encoded_pictures(source))
            fitting: list[list[tuple[str, bytes]]] = [[] for _ in parts]
            for size, (i, picture) in zip(sizes[source], found, strict=True):
                if i in chosen and size > rooms[at] and at + 1 < len(parts):
                    at += 1
                if i in chosen and size <= rooms[at]:  # shares are of numbers; sizes differ
                    fitting[at].append(picture)
                    rooms[at] -= size
            for number, (part, pictures) in enumerate(zip(parts, fitting, strict=True), 1):
                _write(part / DATA / name / f"{number}.tar", pictures)
            taken += sum(map(len, fitting))
        return taken, sum(map(len, sizes.values()))


def _size_in_tar(content: bytes) -> int:
    return _TAR_BLOCK + -(-len(content) // _TAR_BLOCK) * _TAR_BLOCK


def _write(path: Path, pictures: Sequence[tuple[str, bytes]]) -> None:
    """Write a shard; equal pictures give equal bytes."""
    if not pictures:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for i, (label, content) in enumerate(pictures):
            entry = tarfile.TarInfo(f"{i:06d}{Path(label).suffix}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
