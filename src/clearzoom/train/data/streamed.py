"""Training patches that are streamed from shards: for data sets larger than memory.

The sample at each place of a batch depends on the seed and the step alone. So each process and
thread knows its samples without communication, a run resumes in the middle of an epoch by the
number of its step, and several processes get the samples that one would get.
"""

import hashlib
import tarfile
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from clearzoom.core.arrays import Levels
from clearzoom.core.resize import reduce_for_protocol
from clearzoom.errors import MissingFileError, TrainingError, UnreadablePictureError
from clearzoom.io.names import is_picture_name
from clearzoom.io.reading import decode_rgb8
from clearzoom.metrics.protocol import crop_to_multiple
from clearzoom.train.data.degradation import Degradation
from clearzoom.train.data.degrade import degrade, fault_level
from clearzoom.train.data.resident import Batch

_ORDER, _PATCH = 0, 1  # kinds of random numbers that the seed determines
_MIXED_SHARDS = 16
"""Number of shards, in an epoch's random order, whose samples are mixed."""
_BATCHES_AHEAD = 4
_MARGIN_PX = 4
"""LR px beside a patch that its reduction, blur and noise may depend on."""
_JPEG_BLOCK_PX = 8


class Shards:
    """The places of all pictures in the ``.tar`` shards of folders; nothing is decoded.

    Args:
        folders: folders of shards in WebDataset's layout; a picture is a sample.
        limit: the most pictures of each folder; None: all.

    Raises:
        MissingFileError: a folder holds no shard.
        TrainingError: a shard is damaged, or holds no picture.
    """

    def __init__(self, *folders: Path, limit: int | None = None) -> None:
        self.files: list[Path] = []
        places: list[npt.NDArray[np.int64]] = []
        for folder in folders:
            files = sorted(folder.glob("*.tar"))
            if not files:
                raise MissingFileError(f"no .tar shard in {folder}; data.streamed needs shards")
            with ThreadPoolExecutor() as pool:
                found = list(pool.map(_pictures_in, files))
            shard = np.repeat(np.arange(len(found)), [len(places) for places in found])
            shard += len(self.files)
            places.append(np.column_stack([shard, np.concatenate(found)])[:limit])
            self.files += files
        self.places = np.concatenate(places)
        """(pictures, 3) int64: shard, first byte, number of bytes."""
        names = "\n".join(path.name for path in self.files).encode(errors="surrogateescape")
        self.sha256 = hashlib.sha256(names + self.places.tobytes()).hexdigest()

    def __len__(self) -> int:
        return len(self.places)

    def order(self, epoch: int, seed: int) -> npt.NDArray[np.int64]:
        """Give the order of an epoch's samples: random shards, mixed with the next ones.

        Args:
            epoch: the epoch, from 0.
            seed: the seed of the run.
        """
        random = np.random.default_rng((seed, _ORDER, epoch))
        turn = random.permutation(len(self.files))[self.places[:, 0]]
        return np.lexsort((random.random(len(self)), turn // _MIXED_SHARDS))

    def read(self, sample: int) -> Levels:
        """Read and decode one picture, (H, W, 3) uint8 RGB.

        Raises:
            TrainingError: it cannot be decoded; the message names its place.
        """
        shard, start, length = self.places[sample].tolist()
        path = self.files[shard]
        try:
            with path.open("rb") as file:
                file.seek(start)
                return decode_rgb8(file.read(length))
        except (UnreadablePictureError, OSError) as error:
            raise TrainingError(
                f"the picture at byte {start} of {path} cannot be decoded: {error}"
            ) from error


def _pictures_in(shard: Path) -> npt.NDArray[np.int64]:
    try:
        with tarfile.open(shard) as archive:
            found = [
                (member.offset_data, member.size)
                for member in archive
                if member.isfile() and is_picture_name(member.name)
            ]
            end = max((start + size for start, size in found), default=0)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise TrainingError(f"the shard {shard} is damaged ({error}); get it again") from error
    if not found or shard.stat().st_size < end:
        fault = "is cut off" if found else "holds no picture"
        raise TrainingError(f"the shard {shard} {fault}; remove it or get it again")
    return np.array(found, np.int64)


class Streamed:
    """Patches from shards, which threads decode ahead of the training steps.

    Args:
        shards: the shards, whose pictures are samples.
        scale: the reduction.
        device: the device that trains.
        workers: number of threads that decode.
        degradation: the faults of LR; None: the protocol's LR.
    """

    def __init__(
        self,
        shards: Shards,
        scale: int,
        device: torch.device,
        workers: int,
        degradation: Degradation | None = None,
    ) -> None:
        self.shards = shards
        self.scale = scale
        self.device = device
        self._degradation = degradation
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._ahead: deque[list[Future[tuple[Levels, Levels, float]]]] = deque()
        self._next = 0
        self._order = lru_cache(maxsize=2)(shards.order)

    def sample(self, place: int, seed: int) -> int:
        """Give the sample at a place of the endless sequence of epochs, from 0."""
        epoch, within = divmod(place, len(self.shards))
        return int(self._order(epoch, seed)[within])

    def batch(
        self, step: int, seed: int, batch: int, patch_px: int, part: slice = slice(None)
    ) -> Batch:
        """Cut the patches of one step, one of each sample: random places, flips, quarter turns.

        Args:
            step: the optimiser step, from 0; the next steps' patches are decoded ahead.
            seed: the seed of the run.
            batch: number of patches, over all processes.
            patch_px: side of the LR patches.
            part: the patches of this process.

        Raises:
            TrainingError: a picture is damaged, or smaller than a patch.
        """
        if step != self._next:
            for future in (one for waiting in self._ahead for one in waiting):
                future.cancel()
            self._ahead.clear()
            self._next = step
        while len(self._ahead) < _BATCHES_AHEAD:
            first = (self._next + len(self._ahead)) * batch
            places = range(first, first + batch)[part]
            self._ahead.append(
                [self._pool.submit(self._patch, place, seed, patch_px) for place in places]
            )
        self._next += 1
        made = (future.result() for future in self._ahead.popleft())
        lr, hr, level = zip(*made, strict=True)
        levels = torch.tensor(level, device=self.device)
        return Batch(self._on_device(lr), self._on_device(hr), levels)

    def _patch(self, place: int, seed: int, patch_px: int) -> tuple[Levels, Levels, float]:
        random = np.random.default_rng((seed, _PATCH, place))
        scale = self.scale
        hr = crop_to_multiple(self.shards.read(self.sample(place, seed)), scale)
        height, width = hr.shape[0] // scale, hr.shape[1] // scale
        if min(height, width) < patch_px:
            raise TrainingError(
                f"a training picture is {hr.shape[1]}x{hr.shape[0]} px; patches need "
                f">= {patch_px * scale} px, take it out or set data.patch_px lower"
            )
        top, left = (int(random.integers(side - patch_px + 1)) for side in (height, width))
        # The blocks of JPEG may begin anywhere beside the patch.
        before = _MARGIN_PX + random.integers(_JPEG_BLOCK_PX, size=2)
        y, x = max(0, top - int(before[0])), max(0, left - int(before[1]))
        bottom, right = top + patch_px + _MARGIN_PX, left + patch_px + _MARGIN_PX
        around = np.ascontiguousarray(hr[y * scale : bottom * scale, x * scale : right * scale])
        reduced = clean = reduce_for_protocol(around, scale)
        if self._degradation is not None:
            reduced = degrade(around, scale, self._degradation, (seed, place), clean)
        lr = reduced[top - y : top - y + patch_px, left - x : left - x + patch_px]
        rows, columns = (slice(at * scale, (at + patch_px) * scale) for at in (top, left))
        eighth = int(random.integers(8))
        level = fault_level(reduced, clean)
        return _turned(lr, eighth), _turned(hr[rows, columns], eighth), level

    def _on_device(self, patches: tuple[Levels, ...]) -> Tensor:
        stack = torch.from_numpy(np.stack(patches)).to(self.device)
        return stack.permute(0, 3, 1, 2).contiguous().float().div_(255).sub_(0.5)


def _turned(patch: Levels, eighth: int) -> Levels:
    turned = np.rot90(patch, eighth % 4)
    return turned[:, ::-1] if eighth >= 4 else turned
