"""Estimate how long an enlargement takes on this machine, and how large its file will be.

A few windows of the picture are enlarged and encoded in memory and a temporary folder. This takes
about a second, and less for each further picture of a folder. Other programs, a slow disk, and
parts of the picture that are unlike the windows make the estimate wrong.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from clearzoom.engines.chain import Stage
from clearzoom.engines.network import Network
from clearzoom.engines.tile import Channels
from clearzoom.io.formats import format_of, written_suffix
from clearzoom.io.picture import Picture, Samples
from clearzoom.io.writing import as_image, encode, write_picture
from clearzoom.pipeline.finish import finished_metadata
from clearzoom.pipeline.job import Job, networks_of, placement_of
from clearzoom.pipeline.sample_windows import as_samples, job_tiles, spread, stitched
from clearzoom.pipeline.stages import run_stages

_SECONDS_FOR_MORE = 0.7
"""A larger sample is measured only where it will take less."""
_LATER_STAGE_PX = 64
_ENCODED_PX = 384


@dataclass(frozen=True)
class Estimate:
    """About how many ``seconds`` this machine takes, and how many ``file_bytes`` the result has."""

    seconds: float
    file_bytes: int


@dataclass(frozen=True)
class _Measured:
    """Measured costs.

    Attributes:
        per_window_px: seconds of each network for each px of its windows.
        encoding: seconds and bytes for each further px of the result.
        file_s: seconds for a file of one px.
    """

    per_window_px: tuple[float, ...]
    encoding: tuple[float, float]
    file_s: float


@dataclass
class Estimator:
    """Estimates jobs; pictures of one kind are measured once."""

    _known: dict[tuple[object, ...], _Measured] = field(default_factory=dict)

    def total(self, jobs: Sequence[Job]) -> Estimate:
        """Estimate all jobs together, from the largest picture of each kind.

        A small one, such as an icon of a few px, says little about how long others take.

        Args:
            jobs: what ``plan_job`` returned.

        Raises:
            ClearzoomError: the same errors as ``run_job`` raises.
        """
        largest_first = sorted(jobs, key=lambda job: -job.source.width_px * job.source.height_px)
        each = [self.of(job) for job in largest_first]
        return Estimate(sum(one.seconds for one in each), sum(one.file_bytes for one in each))

    def of(self, job: Job) -> Estimate:
        """Estimate a job.

        Args:
            job: what ``plan_job`` returned.

        Raises:
            ClearzoomError: the same errors as ``run_job`` raises.
        """
        networks = networks_of(job)
        kind = format_of(job.target)
        # Which consistency and level a picture chose makes little difference to the time.
        settings = replace(job.settings, consistency="auto", denoise="auto")
        key = (settings, job.plan.stages, kind.name, job.source.channels, job.source.deep)
        if key not in self._known:
            self._known[key] = _measure(job, networks)
        measured = self._known[key]
        px = job.cut.width * job.cut.height * job.source.frames
        encoding_s, bytes_each = measured.encoding
        seconds = measured.file_s + px * encoding_s
        runs = job.source.frames * (2 if job.source.cmyk else 1)  # K goes through it by itself
        for each_s, px_read in zip(measured.per_window_px, _window_px(job, networks), strict=True):
            seconds += each_s * px_read * runs
        size = _fixed_bytes(job, networks) + px * bytes_each
        most = job.settings.encoding.max_bytes
        if most is not None and kind.lossy:
            size = min(size, most)
        return Estimate(seconds, int(size))


def _window_px(job: Job, networks: Sequence[Network]) -> list[float]:
    """Count the px that each network will read: all windows of its tiles, halos included."""
    return [
        float(sum(stage.tile(tile).window_px for tile in tiles))
        for stage, tiles in job_tiles(job, networks)
    ]


def _measure(job: Job, networks: list[Network]) -> _Measured:
    windows = job.appraisal().windows
    middle = [as_samples(windows[len(windows) // 2], job)]
    parts = spread(job)
    rates, result = [], stitched(parts)
    for index, network in enumerate(networks):
        sample = middle[0] if index == 0 else _centre(result, _LATER_STAGE_PX)
        _run(sample, network)  # what is made at the first run is made once
        seconds, result = _run(sample, network)
        if index == 0 and seconds * len(parts) < _SECONDS_FOR_MORE:
            sample = stitched(parts)
            seconds, result = _run(sample, network)
        rates.append(seconds / _read_px(sample, network))
    encoding, file_s = _encoded(_centre(result, _ENCODED_PX), job)
    return _Measured(tuple(rates), encoding, file_s)


def _centre(samples: Samples, side_px: int) -> Samples:
    height, width = samples.shape[:2]
    top, left = max(0, height - side_px) // 2, max(0, width - side_px) // 2
    centre: Samples = samples[top : top + side_px, left : left + side_px].copy()
    return centre


def _run(sample: Samples, network: Network) -> tuple[float, Samples]:
    began = time.perf_counter()
    result = run_stages(sample, [network], Channels(sample.shape[2]))
    return time.perf_counter() - began, result


def _read_px(sample: Samples, network: Network) -> float:
    stage = Stage(network, *sample.shape[:2])
    return float(sum(stage.tile(tile).window_px for tile in stage.tiles_in(stage.result)))


def _encoded(samples: Samples, job: Job) -> tuple[tuple[float, float], float]:
    """Encode a sample.

    Returns:
        Seconds and bytes for each further px, with alpha's and K's share of the bytes; and the
        seconds for a file of one px.
    """
    encoding = replace(job.settings.encoding, max_bytes=None)
    with TemporaryDirectory() as folder:
        target = Path(folder) / f"sample{written_suffix(job.target)}"

        def written(part: Samples) -> tuple[float, int]:
            began = time.perf_counter()
            write_picture(target, Picture(part), encoding)
            return time.perf_counter() - began, target.stat().st_size

        written(samples)  # what is made at the first run is made once
        seconds, size = written(samples)
        least_s, least = written(samples[:1, :1].copy())
    further = max(1, samples.shape[0] * samples.shape[1] - 1)
    more = job.source.channels / samples.shape[2]
    size_each = max(0, size - least) / further * max(1.0, more)
    return (max(0.0, seconds - least_s) / further, size_each), least_s


def _fixed_bytes(job: Job, networks: Sequence[Network]) -> int:
    """Measure the file of one px with the profile and metadata that the result will have."""
    dot = np.zeros((1, 1, job.source.channels), job.source.dtype)
    placement = placement_of(job, job.cut)
    metadata, _ = finished_metadata(job.metadata, job.plan, placement, job.dpi, networks)
    with TemporaryDirectory() as folder:
        target = Path(folder) / f"dot{written_suffix(job.target)}"
        target.touch()
        encode(
            target,
            target,
            as_image(dot, cmyk=job.source.cmyk),
            job.source.icc_profile,
            job.dpi,
            metadata,
            replace(job.settings.encoding, max_bytes=None),
        )
        return target.stat().st_size
