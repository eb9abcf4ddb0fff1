"""Enlarge PIL pictures; mode, resolution, profile, EXIF and XMP stay."""

from typing import Any

import numpy as np
from PIL import Image, ImageOps

from clearzoom.core.box import Box
from clearzoom.engines.tile import Channels
from clearzoom.engines.tiled import Progress
from clearzoom.errors import InputError, UnreadablePictureError
from clearzoom.io.compression_error import levels_of_tables
from clearzoom.io.formats import is_writable_dpi
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.metadata.pillow_info import (
    comments_of,
    frames_of,
    info_of,
    metadata_of,
    orientation_of,
)
from clearzoom.io.picture import colours_of
from clearzoom.io.placement import Placement
from clearzoom.io.profile import profile_tone_curve
from clearzoom.pipeline.finish import finished_metadata
from clearzoom.pipeline.in_memory import Enlarged, enlarge_in_memory
from clearzoom.pipeline.regions import whole_result
from clearzoom.pipeline.settings import Settings

_SIDEWAYS = (5, 6, 7, 8)
_COLOURS = {"L": 1, "LA": 1, "I;16": 1, "I;16B": 1, "RGB": 3, "RGBA": 3, "CMYK": 4}
# Pillow would convert these to RGB by cutting off what is above 255.
_REMEDIES = {
    "F": "give numpy.asarray(picture), brought into 0..1",
    "I": 'give picture.convert("I;16") if white is 65535, picture.convert("L") if it is 255',
}


def enlarge_pil(
    picture: Image.Image, settings: Settings, progress: Progress | None = None
) -> tuple[Image.Image, list[str]]:
    """Enlarge a PIL picture, turned upright; of an animation the current frame.

    Args:
        picture: any picture that Pillow decodes and whose levels have 8 or 16 bit.
        settings: the user's settings.
        progress: is called with (tiles done, tiles in all).

    Returns:
        A new picture, and notes on what it does not keep. Its ``info`` has the resolution, the
        profile, comments and texts, and EXIF and XMP that describe the result.

    Raises:
        UnreadablePictureError: Pillow cannot decode the picture.
        InputError: its mode is none of those that can be enlarged.
        ClearzoomError: as ``enlarge_in_memory`` raises it.
    """
    coding = levels_of_tables(getattr(picture, "quantization", None) or {})  # of an opened JPEG
    frames = frames_of(picture)
    try:
        picture.load()
        upright = ImageOps.exif_transpose(picture) if orientation_of(picture) > 1 else picture
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes of them
        raise UnreadablePictureError(f"Pillow cannot decode this picture: {error}") from error
    plain = _plain(upright)
    if plain.mode not in _COLOURS:
        remedy = _REMEDIES.get(picture.mode, 'give picture.convert("RGB")')
        raise InputError(f"cannot enlarge a PIL picture of mode {picture.mode}; {remedy}")
    samples = np.asarray(plain)
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    samples = samples if samples.ndim == 3 else samples[..., None]
    profile = picture.info.get("icc_profile")
    notes = []
    if frames > 1:
        notes.append(f"of {frames} frames or pages only the current one was enlarged")
    if profile is not None and upright.mode == "LAB":
        profile = None  # it describes the numbers of its own colour model only
        notes.append("the profile is not kept: it holds for LAB, and the result is RGB")
    channels = _channels(samples, plain.mode, profile)
    done = enlarge_in_memory(samples, channels, settings, progress, coding=coding)
    larger = done.samples if done.samples.shape[2] > 1 else done.samples[..., 0]
    result = Image.fromarray(larger, "CMYK" if plain.mode == "CMYK" else None)
    info, more = _info(picture, settings, done)
    result.info.update(info)
    if profile is not None:
        result.info["icc_profile"] = profile
    return result, [*notes, *done.notes, *more]


def _plain(upright: Image.Image) -> Image.Image:
    if "transparency" in upright.info or upright.mode in ("PA", "RGBa"):
        return upright.convert("RGBA")
    if upright.mode in ("1", "La"):
        return upright.convert("L" if upright.mode == "1" else "LA")
    if upright.mode in ("P", "YCbCr", "LAB", "HSV", "RGBX"):
        return upright.convert("RGB")
    return upright


def _channels(samples: Any, mode: str, profile: bytes | None) -> Channels:
    colours = colours_of(samples.shape[2], cmyk=mode == "CMYK")
    if profile is None or colours == 4:
        return Channels(colours)
    levels = 65_536 if samples.dtype == np.uint16 else 256
    return Channels(colours, profile_tone_curve(profile, colours, levels))


def _info(
    picture: Image.Image, settings: Settings, done: Enlarged
) -> tuple[dict[str, Any], list[str]]:
    """Return what the result states, with its provenance, and notes on what it does not keep."""
    orientation = orientation_of(picture)
    dpi = (done.plan.dpi, done.plan.dpi) if done.plan.dpi else _stated_dpi(picture)
    if dpi is not None and done.plan.dpi is None and orientation in _SIDEWAYS:
        dpi = dpi[::-1]
    cut: Box = whole_result(done.plan)
    placement = Placement(
        done.plan.source_px,
        orientation,
        done.plan.resized_px,
        (cut.left, cut.top),
        (cut.width, cut.height),
    )
    keeps = settings.metadata == "keep"
    stated, notes = metadata_of(picture) if keeps else (Metadata(), [])
    metadata, more = finished_metadata(stated, done.plan, placement, dpi, done.networks)
    texts = comments_of(picture) if keeps else {}
    return texts | info_of(metadata) | ({} if dpi is None else {"dpi": dpi}), notes + more


def _stated_dpi(picture: Image.Image) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in picture.info["dpi"])
    except (KeyError, TypeError, ValueError):  # a program may have put anything there
        return None
    return (across, down) if is_writable_dpi((across, down)) else None
