"""Animations: GIF, WebP and APNG, frame by frame with their timing."""

import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyvips
from PIL import Image

from clearzoom.errors import UnreadablePictureError
from clearzoom.io.containers import insert_metadata
from clearzoom.io.descriptors import save
from clearzoom.io.failures import unwritable
from clearzoom.io.formats import format_of
from clearzoom.io.metadata import Metadata
from clearzoom.io.profile import in_srgb
from clearzoom.io.quality import check_small_enough, save_within
from clearzoom.io.text_places import with_places_for_texts
from clearzoom.io.writing import Encoding, added_bytes, as_image
from clearzoom.io.xmp import updated_xmp

_GIF_UNIT_MS = 10
_SHORTEST_MS = 11  # libvips takes a shorter duration for none, and writes 100

Frames = Sequence[npt.NDArray[np.uint8]]


@dataclass(frozen=True)
class Timing:
    """``durations_ms`` of each frame; ``plays``: how often, 0 = for ever."""

    durations_ms: tuple[int, ...]
    plays: int


def read_frames(path: Path) -> tuple[Frames, Timing]:
    """Decode every frame as it is seen.

    Args:
        path: GIF, WebP or APNG with several frames.

    Returns:
        (H, W, 3) or, if any px is transparent, (H, W, 4) uint8 of each frame, and the timing.

    Raises:
        UnreadablePictureError: damaged.
    """
    frames, durations = [], []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                # An APNG may begin with a picture for programs without animations.
                first = int(getattr(picture, "default_image", False))
                for index in range(first, picture.n_frames):  # type: ignore[attr-defined]
                    picture.seek(index)
                    frames.append(np.asarray(picture.convert("RGBA")))
                    durations.append(round(float(picture.info.get("duration", 100))))
                loop = _plays(picture)
    except Exception as error:  # a damaged frame raises anything
        raise UnreadablePictureError(f"{path} is truncated or damaged: {error}") from error
    if all((frame[..., 3] == 255).all() for frame in frames):
        frames = [frame[..., :3] for frame in frames]
    return frames, Timing(tuple(durations), loop)


def _plays(picture: Image.Image) -> int:
    loop = int(picture.info.get("loop", 1))
    # GIF counts repetitions after the first play; without a count it plays once.
    repeats = picture.format == "GIF" and "loop" in picture.info and loop > 0
    return loop + 1 if repeats else loop


def write_frames(
    temporary: Path,
    target: Path,
    frames: Frames,
    timing: Timing,
    metadata: Metadata,
    icc_profile: bytes | None,
    encoding: Encoding,
) -> list[str]:
    """Encode an animation.

    Args:
        temporary: is written, with target's suffix.
        target: named in errors.
        frames: (H, W, C) uint8, all of one shape.
        timing: of each frame.
        metadata: goes in where the format has a place for it.
        icc_profile: likewise.
        encoding: the quality of WebP, and how large the file may become.

    Returns:
        A line for each thing that the format has no place for.

    Raises:
        OutputError: it cannot be written, or not as small as wanted.
    """
    kind = format_of(target)
    problems: list[str] = []
    height, width = frames[0].shape[:2]
    metadata, without_place = with_places_for_texts(metadata, kind)
    problems += without_place
    kept = replace(
        metadata,
        exif=metadata.exif if kind.exif else None,
        xmp=metadata.xmp and updated_xmp(metadata.xmp, width, height, None),
        iptc=metadata.iptc if kind.iptc else None,
    )
    added = added_bytes(kept)
    try:
        if icc_profile and not kind.profile:
            frames = [in_srgb(as_image(frame), icc_profile).numpy() for frame in frames]
            problems.append(f"{kind.name} has no place for this profile: colours became sRGB")
        if kind.name == "PNG":
            _write_apng(temporary, frames, timing, icc_profile)
        else:
            profile = icc_profile if kind.profile else None
            shortest = _GIF_UNIT_MS if kind.name == "GIF" else _SHORTEST_MS
            image = _strip(frames, timing, shortest, profile)
            if kind.name == "GIF":
                save(image, temporary, keep="none")
            else:
                _write_webp(temporary, image, timing, encoding, added)
    except (pyvips.Error, OSError, ValueError) as error:
        raise unwritable(target, temporary, error) from error
    check_small_enough(temporary, target, encoding.max_bytes, added)
    if kind.name == "GIF":
        problems.append("GIF has 256 colours a frame")
        if any(duration % _GIF_UNIT_MS for duration in timing.durations_ms):
            problems.append("GIF counts in 10 ms: the timing is rounded")
    if metadata.exif and not kind.exif:
        problems.append(f"{kind.name} has no place for EXIF")
    if metadata.iptc and not kind.iptc:
        problems.append(f"{kind.name} has no place for IPTC")
    return problems + insert_metadata(temporary, kept)


def _write_apng(path: Path, frames: Frames, timing: Timing, icc_profile: bytes | None) -> None:
    first, *others = (Image.fromarray(frame) for frame in frames)
    first.save(
        path,
        format="PNG",
        save_all=True,
        append_images=others,
        duration=list(timing.durations_ms),
        loop=timing.plays,
        disposal=0,
        blend=0,
        icc_profile=icc_profile,
    )


def _strip(
    frames: Frames, timing: Timing, shortest_ms: int, icc_profile: bytes | None
) -> pyvips.Image:
    """Put frames under one another, as libvips wants them."""
    durations = [max(shortest_ms, duration) for duration in timing.durations_ms]
    image = as_image(np.concatenate(frames)).copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", frames[0].shape[0])
    image.set_type(pyvips.GValue.array_int_type, "delay", durations)
    image.set_type(pyvips.GValue.gint_type, "loop", timing.plays)
    if icc_profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc_profile)
    return image


def _write_webp(
    path: Path, image: pyvips.Image, timing: Timing, encoding: Encoding, added: int
) -> None:
    # A packet of its own makes libvips write the header to which metadata is added.
    image.set_type(pyvips.GValue.blob_type, "xmp-data", struct.pack("4s", b"xmp "))
    most = encoding.max_bytes - added if encoding.max_bytes is not None else None
    save_within(
        lambda quality: save(image, path, Q=quality, smart_subsample=True, keep="all"),
        path,
        encoding.quality,
        most,
    )
    if min(timing.durations_ms) < _SHORTEST_MS:
        _restore_durations(path, timing)


def _restore_durations(path: Path, timing: Timing) -> None:
    """Write short durations where longer ones stand; equal frames may have become one."""
    encoded = bytearray(path.read_bytes())
    given = iter(timing.durations_ms)
    at = 12
    while at + 8 <= len(encoded):
        if encoded[at : at + 4] == b"ANMF":
            place = slice(at + 20, at + 23)
            left, true = int.from_bytes(encoded[place], "little"), 0
            while left > 0:
                duration = next(given, left)
                left -= max(_SHORTEST_MS, duration)
                true += duration
            encoded[place] = true.to_bytes(3, "little")
        length = int.from_bytes(encoded[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    path.write_bytes(encoded)
