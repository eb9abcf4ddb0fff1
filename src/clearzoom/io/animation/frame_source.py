"""Look at files with frames: GIF, APNG, WebP and AVIF sequences."""

from pathlib import Path

from clearzoom.errors import SizeError
from clearzoom.io.animation.layout import Layout
from clearzoom.io.animation.orientation import SIDEWAYS, orientation_of
from clearzoom.io.colour_statements import implied_profile
from clearzoom.io.formats import is_writable_dpi
from clearzoom.io.heif_range import check_pixels
from clearzoom.io.loading import icc_profile_of, open_image
from clearzoom.io.metadata.blocks import read_metadata, stated_dpi
from clearzoom.io.metadata.xmp_orientation import check_xmp_orientation
from clearzoom.io.png import refused_profile, stated_png_dpi
from clearzoom.io.source import Source


def open_frames(path: Path, layout: Layout, max_pixels: int) -> Source:
    """Look at a file with frames, as ``open_picture`` does.

    Args:
        path: of the file.
        layout: of it.
        max_pixels: all frames together may have.

    Raises:
        UnreadablePictureError: damaged.
        SizeError: more than max_pixels.
    """
    width, height = layout.width_px, layout.height_px
    check_pixels(path, width, height, max_pixels)
    if layout.pixels > max_pixels:
        raise SizeError(
            f"{path} has {layout.pixels:,} px in {layout.frames:,} frames of {width}x{height}, "
            f"more than {max_pixels:,}; raise --max-pixels if it is meant to"
        )
    metadata, problems = read_metadata(path)
    metadata, turn = check_xmp_orientation(metadata, layout.kind)
    profile, notes = layout.icc_profile, [*problems, *turn, *layout.notes]
    if layout.kind in ("PNG", "WebP"):
        image, _ = open_image(path)
        profile = icc_profile_of(image)
        notes += refused_profile(path) if layout.kind == "PNG" and profile is None else []
    if profile is None:
        profile, problem = implied_profile(path, layout.kind, metadata.exif, grey=False)
        notes += [problem] if problem else []
    dpi = stated_png_dpi(path) if layout.kind == "PNG" else stated_dpi(metadata.exif)
    if dpi and not is_writable_dpi(dpi):
        notes.append(f"a resolution of {dpi[0]:g} by {dpi[1]:g} dpi is not kept")
        dpi = None
    orientation = orientation_of(metadata.exif)
    if orientation in SIDEWAYS:
        width, height = height, width
        dpi = dpi and dpi[::-1]
    return Source(
        path,
        layout.kind,
        width,
        height,
        layout.channels,
        False,
        False,
        layout.frames,
        profile,
        dpi,
        metadata,
        tuple(notes),
        orientation,
        layout,
    )
