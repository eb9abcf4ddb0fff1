"""Write animations with their timing, as GIF, WebP or APNG, from frames in a temporary file."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyvips

from clearzoom.core.arrays import Levels
from clearzoom.io.animation.apng import fraction_of
from clearzoom.io.animation.apng_writing import write_apng
from clearzoom.io.animation.frame_spool import FrameSpool
from clearzoom.io.formats import Format, format_of
from clearzoom.io.libvips_errors import VIPS_ERRORS, unwritable
from clearzoom.io.libvips_files import save
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.metadata.embed import insert_metadata
from clearzoom.io.metadata.exif_resolution import exif_with_resolution
from clearzoom.io.metadata.text_slots import fit_texts
from clearzoom.io.metadata.xmp import updated_xmp
from clearzoom.io.profile import to_srgb
from clearzoom.io.quality import check_small_enough, save_within
from clearzoom.io.writing import Encoding, added_bytes, as_image

_GIF_UNIT_MS = 10
_SHORTEST_MS = 11  # libvips replaces shorter durations by 100.
_VISIBLE_MS = 0.1  # A smaller difference is the rounding of a fraction.
_GREY_PROFILE = slice(16, 20)


@dataclass(frozen=True)
class _Limits:
    """A format's longest duration of a frame, largest number of plays, and unit of time."""

    longest_ms: int
    most_plays: int
    unit: str


_LIMITS = {
    "GIF": _Limits(655_350, 65_536, "10 ms"),
    "WebP": _Limits(2**24 - 1, 65_535, "ms"),
    "PNG": _Limits(65_535_000, 2**31 - 1, "fractions of numbers up to 65,535"),
}


@dataclass(frozen=True)
class Timing:
    """The duration of each frame, and the number of plays; 0 is endless."""

    durations_ms: tuple[float, ...]
    plays: int


def write_frames(
    temporary: Path,
    target: Path,
    spool: FrameSpool,
    timing: Timing,
    metadata: Metadata,
    icc_profile: bytes | None,
    encoding: Encoding,
    dpi: tuple[float, float] | None = None,
) -> list[str]:
    """Encode an animation with a few frames in memory at a time.

    Args:
        temporary: the file to be written, with target's suffix.
        target: named in errors.
        spool: the frames, all of which are stored.
        timing: the timing of the frames.
        metadata: the metadata, as far as the format can store it.
        icc_profile: the ICC profile, or None.
        encoding: the quality of WebP, and the largest size of the file.
        dpi: the resolution, or None.

    Returns:
        A line for each thing that the format cannot store.

    Raises:
        OutputError: the file cannot be written, or cannot be made as small as ``max_bytes``.
    """
    kind = format_of(target)
    timing, problems = _storable_timing(timing, kind)
    height, width = spool.shape[:2]
    metadata, without_place = fit_texts(metadata, kind)
    problems += without_place
    exif = metadata.exif
    if dpi and kind.name == "WebP":
        try:
            exif = exif_with_resolution(exif, dpi)
        except ValueError as error:
            problems.append(f"{error}; the resolution could not be added to it")
    xmp, upright = metadata.xmp, not metadata.turned_by_xmp
    stored = replace(
        metadata,
        exif=exif if kind.exif else None,
        xmp=xmp and updated_xmp(xmp, width, height, dpi, upright=upright),
        iptc=metadata.iptc if kind.iptc else None,
    )
    added = added_bytes(stored)
    profile = icc_profile
    if icc_profile and (not kind.profile or icc_profile[_GREY_PROFILE] == b"GRAY"):
        profile = None
        problems.append(f"{_why_no_profile(kind)}: colours became sRGB")
    try:
        if kind.name == "PNG":
            frames = _frames(spool, icc_profile, profile)
            write_apng(temporary, frames, timing.durations_ms, timing.plays, profile, dpi)
        else:
            _write_strip(temporary, spool, timing, icc_profile, profile, kind, encoding, added)
    except (*VIPS_ERRORS, OSError, ValueError) as error:
        raise unwritable(target, temporary, error) from error
    check_small_enough(temporary, target, encoding.max_bytes, added)
    if kind.name == "GIF":
        problems.append("GIF has 256 colours a frame")
    if dpi and not kind.dpi:
        problems.append(f"{kind.name} has no place for a resolution")
    if metadata.exif and not kind.exif:
        problems.append(f"{kind.name} has no place for EXIF")
    if metadata.calibration:
        problems.append(f"{kind.name} has no place for {metadata.calibration}")
    if metadata.iptc and not kind.iptc:
        problems.append(f"{kind.name} has no place for IPTC")
    return problems + insert_metadata(temporary, stored)


def _storable_timing(timing: Timing, kind: Format) -> tuple[Timing, list[str]]:
    """Round the timing to what a format can store, and name the changes."""
    limits, problems = _LIMITS[kind.name], []
    durations, plays = timing.durations_ms, timing.plays
    if plays > limits.most_plays:
        plays = 0
        problems.append(
            f"{kind.name} counts {limits.most_plays:,} plays at most, not {timing.plays:,}: "
            "it plays for ever"
        )
    if max(durations) > limits.longest_ms:
        problems.append(
            f"{kind.name} shows a frame for {limits.longest_ms:,} ms at most: "
            f"{max(durations):,.0f} ms became that"
        )
        durations = tuple(min(limits.longest_ms, each) for each in durations)
    rounded = tuple(_rounded(each, kind) for each in durations)
    if any(abs(a - b) >= _VISIBLE_MS for a, b in zip(durations, rounded, strict=True)):
        problems.append(f"{kind.name} counts in {limits.unit}: the timing is rounded")
    return Timing(rounded, plays), problems


def _rounded(duration_ms: float, kind: Format) -> float:
    if kind.name == "GIF":  # Browsers replace 0 by 100 ms, so short durations must not become 0.
        least = _GIF_UNIT_MS if duration_ms else 0
        return max(least, _GIF_UNIT_MS * round(duration_ms / _GIF_UNIT_MS))
    if kind.name == "WebP":
        return round(duration_ms)
    num, den = fraction_of(duration_ms)
    return 1000 * num / den


def _why_no_profile(kind: Format) -> str:
    if kind.profile:
        return "an animation is RGB, its profile is for grey"
    return f"{kind.name} has no place for this profile"


def _converted(
    strip: pyvips.Image, icc_profile: bytes | None, stored: bytes | None
) -> pyvips.Image:
    """Convert the colours to sRGB if the profile is not stored."""
    if icc_profile is None or stored is not None:
        return strip
    if icc_profile[_GREY_PROFILE] != b"GRAY":
        return to_srgb(strip, icc_profile)
    grey = strip[0].copy(interpretation="b-w")
    colours = to_srgb(grey, icc_profile)
    colours = colours if colours.bands == 3 else colours.extract_band(0).bandjoin([colours[0]] * 2)
    return colours.bandjoin(strip[3]) if strip.bands == 4 else colours


def _frames(spool: FrameSpool, icc_profile: bytes | None, stored: bytes | None) -> Iterator[Levels]:
    for index in range(spool.frames):
        frame = as_image(spool.frame(index))
        yield _converted(frame, icc_profile, stored).numpy()


def _write_strip(
    path: Path,
    spool: FrameSpool,
    timing: Timing,
    icc_profile: bytes | None,
    stored: bytes | None,
    kind: Format,
    encoding: Encoding,
    added: int,
) -> None:
    shortest = 0 if kind.name == "GIF" else _SHORTEST_MS
    durations = [max(shortest, int(duration)) for duration in timing.durations_ms]

    def strip() -> pyvips.Image:
        image = _converted(spool.image(), icc_profile, stored).copy()
        image.set_type(pyvips.GValue.gint_type, "page-height", spool.shape[0])
        image.set_type(pyvips.GValue.array_int_type, "delay", durations)
        image.set_type(pyvips.GValue.gint_type, "loop", timing.plays)
        if stored:
            image.set_type(pyvips.GValue.blob_type, "icc-profile-data", stored)
        return image

    if kind.name == "GIF":
        # Merging equal frames would add their durations, which may exceed the limit.
        save(strip(), path, keep="none", keep_duplicate_frames=True)
        return
    most = encoding.max_bytes - added if encoding.max_bytes is not None else None
    save_within(lambda quality: _write_webp(path, strip(), quality), path, encoding.quality, most)
    if min(timing.durations_ms) < _SHORTEST_MS:
        _restore_durations(path, timing)


def _write_webp(path: Path, image: pyvips.Image, quality: int) -> None:
    # With some XMP, libvips writes the header (VP8X) that ``insert_metadata`` changes.
    image.set_type(pyvips.GValue.blob_type, "xmp-data", struct.pack("4s", b"xmp "))
    save(image, path, Q=quality, smart_subsample=True, keep="all")


def _restore_durations(path: Path, timing: Timing) -> None:
    """Overwrite the durations that were lengthened for libvips, which may have merged frames."""
    encoded = bytearray(path.read_bytes())
    durations = iter(timing.durations_ms)
    at = 12
    while at + 8 <= len(encoded):
        if encoded[at : at + 4] == b"ANMF":
            # A frame's duration has 24 bits, behind its position and size (RFC 9649, 2.7.1.1).
            field = slice(at + 20, at + 23)
            left, total = int.from_bytes(encoded[field], "little"), 0
            while left > 0:
                duration = int(next(durations, left))
                left -= max(_SHORTEST_MS, duration)
                total += duration
            encoded[field] = total.to_bytes(3, "little")
        length = int.from_bytes(encoded[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    path.write_bytes(encoded)
