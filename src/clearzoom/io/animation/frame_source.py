"""Read header and metadata of files with frames: GIF, APNG, WebP and AVIF sequences."""

from clearzoom.errors import SizeError
from clearzoom.io.animation.layout import Layout
from clearzoom.io.animation.orientation import SIDEWAYS, orientation_of
from clearzoom.io.colour_statements import implied_profile
from clearzoom.io.formats import is_writable_dpi
from clearzoom.io.loading import icc_profile_of, image_in
from clearzoom.io.metadata.blocks import metadata_in, stated_dpi
from clearzoom.io.metadata.xmp_orientation import check_xmp_orientation
from clearzoom.io.picture_file import PictureFile, check_pixels
from clearzoom.io.png import refused_profile, stated_png_dpi
from clearzoom.io.source import Source


def open_frames(file: PictureFile, layout: Layout, max_pixels: int) -> Source:
    """Read header and metadata of a file with frames, as ``open_picture`` does.

    Args:
        file: the file.
        layout: its layout.
        max_pixels: the most px of all frames together.

    Raises:
        UnreadablePictureError: the file is damaged.
        SizeError: it has more than max_pixels.
    """
    path, width, height = file.path, layout.width_px, layout.height_px
    check_pixels(path, width, height, max_pixels)
    if layout.pixels > max_pixels:
        raise SizeError(
            f"{path} has {layout.pixels:,} px in {layout.frames:,} frames of {width}x{height}, "
            f"more than {max_pixels:,}; raise `max_pixels` to allow it",
            setting="max_pixels",
        )
    metadata, problems = metadata_in(file)
    metadata, turn = check_xmp_orientation(metadata, layout.kind)
    profile, notes = layout.icc_profile, [*problems, *turn, *layout.notes]
    if layout.kind in ("PNG", "WebP"):
        image, _ = image_in(file)
        profile = icc_profile_of(image)
        if layout.kind == "PNG" and profile is None:
            notes += refused_profile(file.png_chunks)
    if profile is None:
        profile, problem = implied_profile(file, layout.kind, metadata.exif, grey=False)
        notes += [problem] if problem else []
    is_png = layout.kind == "PNG"
    dpi = stated_png_dpi(file.png_chunks) if is_png else stated_dpi(metadata.exif)
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
