"""Make a large picture in bands of a few rows of tiles, which several workers share."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from clearzoom.batch.storage import Storage
from clearzoom.core.box import Box
from clearzoom.engines.chain import stages_of
from clearzoom.engines.network import Network
from clearzoom.engines.region import Input, enlarge_region
from clearzoom.engines.tile import Channels
from clearzoom.io.picture import Samples
from clearzoom.io.scratch import release, scratch
from clearzoom.pipeline.job import Job
from clearzoom.pipeline.regions import whole_result
from clearzoom.pipeline.run import Done, write_result

_BAND_BYTES = 64_000_000
"""The most bytes of a band in its file, unless a single row of tiles has more."""

_CHECKSUM_BYTES = 4


@dataclass(frozen=True)
class Band:
    """Rows of the last network's result, ``top`` to ``bottom``: a whole number of tile rows."""

    top: int
    bottom: int


def bands_of(job: Job, networks: list[Network]) -> list[Band]:
    """Cut a picture; the bands depend on nothing but its size and its networks.

    Args:
        job: of a picture that is no animation.
        networks: of the job, at least one.
    """
    stage = stages_of((job.source.height_px, job.source.width_px), networks)[-1]
    scale = stage.network.scale
    row_bytes = stage.result.width * job.source.channels * np.dtype(job.source.dtype).itemsize
    at_once = max(1, _BAND_BYTES // (stage.tile_px * scale * row_bytes))
    return [
        Band(rows[0].core_start * scale, rows[-1].core_stop * scale)
        for first in range(0, len(stage.rows), at_once)
        if (rows := stage.rows[first : first + at_once])
    ]


def make_band(samples: Samples, networks: list[Network], channels: Channels, band: Band) -> Samples:
    """Enlarge to one band; its px are those of the whole.

    Args:
        samples: (H, W, C), the whole input.
        networks: the first enlarges samples, the next its result, and so on.
        channels: what the C channels hold.
        band: rows of the last result.

    Returns:
        (bottom - top, width of the result, C).

    Raises:
        ResultError: a network gave something that is no picture.
    """
    height, width, bands = samples.shape
    source = Input(lambda box: samples[box.slices], samples.dtype, bands, channels)
    grown = prod(each.scale for each in networks)
    box = Box.between(0, band.top, width * grown, band.bottom)
    return enlarge_region(source, stages_of((height, width), networks), box)


def bands_folder(key: str) -> str:
    """Name the folder in the target for the bands of a picture."""
    return f".clearzoom-bands-{key}"


def band_name(key: str, band: Band) -> str:
    """Name the file of a band in the target."""
    return f"{bands_folder(key)}/{band.top}-{band.bottom}"


def band_bytes(job: Job, networks: list[Network], band: Band) -> int:
    """Give the size of a band's file."""
    _, width, channels = _result_shape(job, networks)
    itemsize = np.dtype(job.source.dtype).itemsize
    return (band.bottom - band.top) * width * channels * itemsize + _CHECKSUM_BYTES


def packed(samples: Samples) -> bytes:
    """Give the content of a band's file: its samples and their checksum."""
    content = np.ascontiguousarray(samples).data
    return b"".join([content, zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "little")])


def join(
    job: Job,
    networks: list[Network],
    key: str,
    target: Storage,
    make: Callable[[Band], Samples],
) -> Done:
    """Write a picture from its bands; after a kill it continues where it was.

    Args:
        job: of the picture.
        networks: of the job.
        key: names its bands.
        target: holds the bands.
        make: makes a band that is missing or damaged.

    Raises:
        OutputError: the picture cannot be written, or a band cannot be read.
    """
    shape, dtype = _result_shape(job, networks), job.source.dtype
    with scratch(job.target, key) as folder:
        result = folder.picture("joined", shape, dtype, cmyk=job.source.cmyk)
        for band in bands_of(job, networks):
            rows, part = result[band.top : band.bottom], f"{band.top}-{band.bottom}"
            if folder.has(part, rows):
                continue
            content = target.read(band_name(key, band)) or b""
            samples, checksum = content[:-_CHECKSUM_BYTES], content[-_CHECKSUM_BYTES:]
            whole = len(content) == band_bytes(job, networks, band)
            if whole and zlib.crc32(samples) == int.from_bytes(checksum, "little"):
                rows[:] = np.frombuffer(samples, dtype).reshape(rows.shape)
            else:
                rows[:] = make(band)
            folder.finished(part, rows)
            release(result)
        return write_result(job, networks, result, whole_result(job.plan))


def _result_shape(job: Job, networks: list[Network]) -> tuple[int, int, int]:
    grown = prod(each.scale for each in networks)
    return job.source.height_px * grown, job.source.width_px * grown, job.source.channels
