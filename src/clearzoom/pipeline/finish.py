"""Finish a result: the last resampling, cutting, metadata, and the fidelity map."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyvips

from clearzoom.core.box import Box
from clearzoom.core.plan import Plan
from clearzoom.core.wrap import AXES, wraps
from clearzoom.engines.chain import chain_sha256, chain_text
from clearzoom.engines.network import Network
from clearzoom.engines.wrappers import consistency_text
from clearzoom.io.atomic import whole_file
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.metadata.provenance import Provenance, with_provenance
from clearzoom.io.metadata.transform import transform_metadata
from clearzoom.io.picture import Samples
from clearzoom.io.placement import Placement
from clearzoom.io.raw_tiff import stream_picture
from clearzoom.io.writing import Encoding, as_image, encode, interpretation
from clearzoom.version import __version__


def finished_image(samples: Samples, plan: Plan, cut: Box, *, cmyk: bool = False) -> pyvips.Image:
    """Resample samples to the exact size and cut them; nothing is computed until it is written.

    Args:
        samples: (H, W, C), the last network's result, in memory or in a scratch file.
        plan: states the sizes.
        cut: the part of the resized picture that is kept.
        cmyk: whether the first four channels are CMYK.
    """
    if plan.resampling == "nearest":
        times = plan.resized_px[0] // plan.source_px[0]
        return _cut(_image(samples, cmyk=cmyk).zoom(times, times), cut)
    # Networks fill the colour hidden under alpha; what none has seen must not bleed into the rest.
    resized = _resized if plan.stages else _resized_as_seen
    return _over_edges(samples, plan, resized, cut, cmyk=cmyk)


def finished_metadata(
    source: Metadata,
    plan: Plan,
    placement: Placement,
    dpi: tuple[float, float] | None,
    networks: Sequence[Network],
) -> tuple[Metadata, list[str]]:
    """Make the input's metadata true for the result, and add its provenance.

    Args:
        source: the metadata of the input; empty where they are not kept.
        plan: states the scale.
        placement: where the result's px lie in the input.
        dpi: the resolution of the result.
        networks: the chain, in the order in which they ran.

    Returns:
        The result's metadata, and one line for each block that had to be left out.
    """
    placed, problems = transform_metadata(source, placement, dpi)
    level = networks[0].denoise if networks else None
    provenance = Provenance(
        tool=f"clearzoom {__version__}",
        model=chain_text(networks) or plan.resampling,
        weights_sha256=chain_sha256(networks),
        scale=f"{plan.scale:.6g}",
        engine=networks[0].engine if networks else "libvips",
        consistency=consistency_text(networks[0].consistency) if networks else "none",
        denoise="" if level is None else f"{level:g}",
    )
    return replace(placed, xmp=with_provenance(placed.xmp, provenance)), problems


def write_fidelity_map(
    target: Path, samples: Samples, source: Samples, plan: Plan, cut: Box, colours: int
) -> None:
    """Write by how many levels, as the mean over the colours, a result differs from bicubic.

    Args:
        target: the file, which becomes a grey picture of the input's depth.
        samples: (H, W, C), the last network's result.
        source: (H, W, C), the input.
        plan: states the sizes.
        cut: the part of the resized picture that is kept.
        colours: how many channels are compared; alpha is not.

    Raises:
        OutputError: the file cannot be written.
    """
    cmyk = colours == 4
    result = finished_image(samples, plan, cut, cmyk=cmyk).extract_band(0, n=colours)
    bicubic = _over_edges(source, plan, _interpolated, cut, cmyk=cmyk).extract_band(0, n=colours)
    levels = (result - bicubic).abs().bandmean().rint().cast(result.format)
    grey = levels.copy(interpretation="grey16" if result.format == "ushort" else "b-w")
    with whole_file(target) as temporary:
        encode(temporary, target, grey, None, None, Metadata(), Encoding())


def _over_edges(
    samples: Samples,
    plan: Plan,
    resize: Callable[[pyvips.Image, tuple[int, int]], pyvips.Image],
    cut: Box,
    *,
    cmyk: bool,
) -> pyvips.Image:
    """Resize a picture that may be wrapped, and cut it.

    Along a wrapped axis the middle one of three copies is kept: libvips has no border for this, and
    a copy of a few px would shift the others by a part of a px. Only the px that the cut needs are
    computed. Each copy downwards is opened anew, since a scratch file is read once, row by row.
    """
    width, height = plan.resized_px
    resizes = (samples.shape[1], samples.shape[0]) != plan.resized_px
    across, down = (3 if resizes and wraps(plan.wrap, axis) else 1 for axis in AXES)
    image = pyvips.Image.arrayjoin([_image(samples, cmyk=cmyk) for _ in range(down)], across=1)
    if across > 1:
        image = image.replicate(across, 1)
    larger = resize(image, (width * across, height * down))
    left, top = width * (across // 2), height * (down // 2)
    return _cut(larger, Box(left + cut.left, top + cut.top, cut.width, cut.height))


def _image(samples: Samples, *, cmyk: bool) -> pyvips.Image:
    if not isinstance(samples, np.memmap):
        return as_image(samples, cmyk=cmyk)
    samples.flush()
    kind = interpretation(samples[:1, :1], cmyk=cmyk)
    return stream_picture(Path(str(samples.filename))).copy(interpretation=kind)


def _cut(image: pyvips.Image, cut: Box) -> pyvips.Image:
    return image.crop(cut.left, cut.top, cut.width, cut.height)


def _resized(image: pyvips.Image, size: tuple[int, int]) -> pyvips.Image:
    width, height = size
    if (image.width, image.height) == size:
        return image
    # In whole numbers libvips' weights do not add up to 1, and each of the two passes rounds.
    exact = image.cast("float")
    resized = exact.resize(width / image.width, vscale=height / image.height, kernel="cubic", gap=0)
    if image.format == "float":
        return resized
    return resized.rint().cast(image.format)


def _resized_as_seen(image: pyvips.Image, size: tuple[int, int]) -> pyvips.Image:
    """Resize with each px's colour weighted by its alpha."""
    if not image.hasalpha() or (image.width, image.height) == size:
        return _resized(image, size)
    most = 65_535 if image.format == "ushort" else 255
    weighted = _resized(image.premultiply(max_alpha=most), size)
    levels = weighted.unpremultiply(max_alpha=most).rint().cast(image.format)
    return levels.copy(interpretation=image.interpretation)


def _interpolated(image: pyvips.Image, size: tuple[int, int]) -> pyvips.Image:
    """Enlarge bicubic, without libvips' resize, which would shift it by an eighth of a px."""
    sx, sy = size[0] / image.width, size[1] / image.height
    return image.affine(
        (sx, 0, 0, sy),
        interpolate=pyvips.Interpolate.new("bicubic"),
        idx=0.5 - 0.5 / sx,
        idy=0.5 - 0.5 / sy,
        oarea=[0, 0, *size],
        extend="mirror",
    )
