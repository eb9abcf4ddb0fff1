"""Write animations: GIF, WebP and APNG, with their timing, from frames that lie in a file."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyvips

from clearzoom.io.animation.apng import fraction_of
from clearzoom.io.animation.apng_writing import write_apng
from clearzoom.io.animation.canvas import Pixels
from clearzoom.io.animation.frame_spool import FrameSpool
from clearzoom.io.formats import Format, format_of
from clearzoom.io.libvips_errors import VIPS_ERRORS, unwritable
from clearzoom.io.libvips_files import save
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.metadata.containers import insert_metadata
from clearzoom.io.metadata.exif_resolution import exif_with_resolution
from clearzoom.io.metadata.text_slots import fit_texts
from clearzoom.io.metadata.xmp import updated_xmp
from clearzoom.io.profile import to_srgb
from clearzoom.io.quality import check_small_enough, save_within
from clearzoom.io.writing import Encoding, added_bytes, as_image

_GIF_UNIT_MS = 10
_SHORTEST_MS = 11  # libvips takes a shorter duration for none, and writes 100
_SEEN_MS = 0.1  # less is the rounding of a fraction
_GREY_PROFILE = slice(16, 20)


@dataclass(frozen=True)
class _Limits:
    """Of a format's numbers: the longest duration of a frame, plays that are counted, the unit."""

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
    """``durations_ms`` of each frame; ``plays``: how often, 0 = for ever."""

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
    """Encode an animation; a few frames at a time are in memory.

    Args:
        temporary: is written, with target's suffix.
        target: named in errors.
        spool: with every frame put in.
        timing: of each frame.
        metadata: goes in where the format has a place for it.
        icc_profile: likewise.
        encoding: the quality of WebP, and how large the file may become.
        dpi: likewise.

    Returns:
        A line for each thing that the format has no place for.

    Raises:
        OutputError: it cannot be written, or not as small as wanted.
    """
    kind = format_of(target)
    timing, problems = _held_timing(timing, kind)
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
    kept = replace(
        metadata,
        exif=exif if kind.exif else None,
        xmp=xmp and updated_xmp(xmp, width, height, dpi, upright=upright),
        iptc=metadata.iptc if kind.iptc else None,
    )
    added = added_bytes(kept)
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
    return problems + insert_metadata(temporary, kept)


def _held_timing(timing: Timing, kind: Format) -> tuple[Timing, list[str]]:
    """Give what a format can hold of the timing, and say what it cannot."""
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
    held = tuple(_held(each, kind) for each in durations)
    if any(abs(was - became) >= _SEEN_MS for was, became in zip(durations, held, strict=True)):
        problems.append(f"{kind.name} counts in {limits.unit}: the timing is rounded")
    return Timing(held, plays), problems


def _held(duration_ms: float, kind: Format) -> float:
    if kind.name == "GIF":  # 0 is shown as browsers like, so that nothing else may become 0
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


def _converted(strip: pyvips.Image, icc_profile: bytes | None, kept: bytes | None) -> pyvips.Image:
    """Make the colours sRGB where the profile cannot be kept."""
    if icc_profile is None or kept is not None:
        return strip
    if icc_profile[_GREY_PROFILE] != b"GRAY":
        return to_srgb(strip, icc_profile)
    grey = strip[0].copy(interpretation="b-w")
    colours = to_srgb(grey, icc_profile)
    colours = colours if colours.bands == 3 else colours.extract_band(0).bandjoin([colours[0]] * 2)
    return colours.bandjoin(strip[3]) if strip.bands == 4 else colours


def _frames(spool: FrameSpool, icc_profile: bytes | None, kept: bytes | None) -> Iterator[Pixels]:
    for index in range(spool.frames):
        frame = as_image(spool.frame(index))
        yield _converted(frame, icc_profile, kept).numpy()


def _write_strip(
    path: Path,
    spool: FrameSpool,
    timing: Timing,
    icc_profile: bytes | None,
    kept: bytes | None,
    kind: Format,
    encoding: Encoding,
    added: int,
) -> None:
    shortest = 0 if kind.name == "GIF" else _SHORTEST_MS
    durations = [max(shortest, int(duration)) for duration in timing.durations_ms]

    def strip() -> pyvips.Image:
        image = _converted(spool.image(), icc_profile, kept).copy()
        image.set_type(pyvips.GValue.gint_type, "page-height", spool.shape[0])
        image.set_type(pyvips.GValue.array_int_type, "delay", durations)
        image.set_type(pyvips.GValue.gint_type, "loop", timing.plays)
        if kept:
            image.set_type(pyvips.GValue.blob_type, "icc-profile-data", kept)
        return image

    if kind.name == "GIF":
        # Equal frames stay, for the sum of their durations need not fit.
        save(strip(), path, keep="none", keep_duplicate_frames=True)
        return
    most = encoding.max_bytes - added if encoding.max_bytes is not None else None
    save_within(lambda quality: _write_webp(path, strip(), quality), path, encoding.quality, most)
    if min(timing.durations_ms) < _SHORTEST_MS:
        _restore_durations(path, timing)


def _write_webp(path: Path, image: pyvips.Image, quality: int) -> None:
    # A packet of its own makes libvips write the header to which metadata is added.
    image.set_type(pyvips.GValue.blob_type, "xmp-data", struct.pack("4s", b"xmp "))
    save(image, path, Q=quality, smart_subsample=True, keep="all")


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
                duration = int(next(given, left))
                left -= max(_SHORTEST_MS, duration)
                true += duration
            encoded[place] = true.to_bytes(3, "little")
        length = int.from_bytes(encoded[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    path.write_bytes(encoded)
