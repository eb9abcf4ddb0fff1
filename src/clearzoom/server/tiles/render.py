"""From a wanted part of a picture, or of a virtual one, to encoded px."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import count
from math import ceil, floor, inf, log2, prod
from typing import Literal

import numpy as np
import pyvips

from clearzoom.core.box import Box
from clearzoom.core.plan import chain_for, most_times
from clearzoom.engines.chain import chain_sha256, chain_text
from clearzoom.engines.network import Network
from clearzoom.errors import SizeError
from clearzoom.io.profile import to_display
from clearzoom.io.writing import as_image
from clearzoom.pipeline.appraise import unresolved
from clearzoom.pipeline.networks import chain_of, network_for
from clearzoom.pipeline.settings import Settings
from clearzoom.server.iiif.identifiers import BICUBIC, Variant
from clearzoom.server.tiles.appraisals import Looks
from clearzoom.server.tiles.fidelity import fidelity_colours
from clearzoom.server.tiles.inferred import Inference, Wanted, blocks_of, interpolated
from clearzoom.server.tiles.originals import Original
from clearzoom.server.tiles.resample import resampled
from clearzoom.weights import scales_of

Quality = Literal["default", "color", "gray", "bitonal"]
Kind = Literal["original", "reduced", "interpolated", "inferred"]

_MOST_INFERRED_PX = 100_000_000
"""Of the enlargement from which one answer is cut: with a network for x4 alone, that of x1.1 is."""
_MOST_READ_PX = 80_000_000
"""Of a half, for one answer: four times as many as the largest answer has, and some."""
_REACH_PX = 8
_JPEG_QUALITY, _WEBP_QUALITY = 90, 88
_WHITE, _MIDDLE = 255, 127


@dataclass(frozen=True)
class View:
    """What is wanted: ``box`` in px of the variant, as ``width`` x ``height`` px.

    ``source_px``: width and height of the original. ``mirrored`` comes first, then
    ``quarter_turns`` clockwise.
    """

    variant: Variant
    source_px: tuple[int, int]
    box: Box
    width: int
    height: int
    mirrored: bool = False
    quarter_turns: int = 0
    quality: Quality = "default"
    suffix: Literal["jpg", "png", "webp"] = "jpg"

    @property
    def factor(self) -> float:
        """Px of the answer for each of the original's."""
        larger = max(self.width / self.box.width, self.height / self.box.height)
        return larger * self.variant.scale


@dataclass(frozen=True)
class Answer:
    """Encoded px, and what they are."""

    content: bytes
    kind: Kind
    model: str | None


class Renderer:
    """Answers views. ``settings``: of the enlargement where a variant names no model."""

    def __init__(self, inference: Inference, settings: Settings) -> None:
        self._inference, self._settings = inference, settings
        self._looks = Looks()

    def load(self) -> None:
        """Load the networks of the server's own model, so that the first view need not wait."""
        for scale in scales_of(self._settings.model):
            network_for(unresolved(self._settings), scale)

    def most_times(self, variant: Variant) -> float:
        """Say how many times wider than the original px can be inferred."""
        if variant.model == BICUBIC:
            return inf
        return most_times(scales_of(self._settings_of(variant).model))

    def kind_of(self, view: View) -> Kind:
        """Say what the px of an answer will be."""
        if view.factor > 1:
            return "interpolated" if view.variant.model == BICUBIC else "inferred"
        scale = view.variant.scale
        same = view.width * scale == view.box.width and view.height * scale == view.box.height
        return "original" if same and not _off_grid(view.box, scale) else "reduced"

    def has_looked(self, original: Original, view: View) -> bool:
        """Say whether ``networks`` need not look at the picture any more."""
        if self.kind_of(view) != "inferred":
            return True
        return self._looks.know(original, self._settings_of(view.variant), self._chain(view))

    def networks(self, original: Original, view: View) -> tuple[Network, ...]:
        """Load the networks of a view that is inferred, as they suit the picture.

        Raises:
            ModelError: no such weights.
            SizeError: no chain of networks reaches the size.
            UnreadablePictureError: the file is damaged.
        """
        if self.kind_of(view) != "inferred":
            return ()
        stages = self._chain(view)
        settings = self._looks.settings(original, self._settings_of(view.variant), stages)
        return tuple(chain_of(settings, stages))

    def check(self, view: View) -> None:
        """Refuse what would cost too much.

        Raises:
            ModelError: no such weights.
            SizeError: too many px would have to be inferred.
        """
        if view.factor <= 1:
            return
        grown = (self._scale(view) / view.variant.scale) ** 2
        if view.box.width * view.box.height * grown > _MOST_INFERRED_PX:
            raise SizeError("that is too much to infer at once; ask for a smaller part")

    def render(self, original: Original, view: View, wanted: Wanted) -> Answer:
        """Make an answer.

        Args:
            original: that the variant names.
            view: inside of it.
            wanted: raises where nobody waits any more.

        Raises:
            ResultError: a network gave something that is no picture.
            UnreadablePictureError: the file is damaged there.
        """
        kind, networks = self.kind_of(view), self.networks(original, view)
        if view.variant.fidelity:
            pixels = self._fidelity(original, view, networks, wanted)
        else:
            pixels = self._pixels(original, view, networks, wanted)
            pixels = to_display(pixels, original.source.icc_profile)
        model = None
        if networks:
            model = f"{chain_text(networks)}; sha256={chain_sha256(networks)}"
        return Answer(_encoded(_turned(pixels, view), view), kind, model)

    def _chain(self, view: View) -> tuple[int, ...]:
        return chain_for(view.factor, scales_of(self._settings_of(view.variant).model))

    def _scale(self, view: View) -> int:
        """Of the enlargement from which an answer is cut: for bicubic the next power of two."""
        if view.variant.model == BICUBIC:
            return 1 << ceil(log2(view.factor) - 1e-9)
        return prod(self._chain(view))

    def _settings_of(self, variant: Variant) -> Settings:
        return Settings(
            model=variant.model or self._settings.model,
            strength=variant.strength,
            consistency=self._settings.consistency,
            denoise=self._settings.denoise if variant.denoise is None else variant.denoise,
        )

    def _pixels(
        self, original: Original, view: View, networks: tuple[Network, ...], wanted: Wanted
    ) -> pyvips.Image:
        if view.factor <= 1:
            return _reduced(original, view)
        cmyk = original.source.cmyk
        scale = self._scale(view)
        if networks:
            read = partial(self._inference.region, original, networks, wanted=wanted)
            return _cut(view, scale, lambda box: as_image(read(box=box), cmyk=cmyk))
        return _cut(
            view, scale, lambda box: as_image(interpolated(original, scale, box), cmyk=cmyk)
        )

    def _fidelity(
        self, original: Original, view: View, networks: tuple[Network, ...], wanted: Wanted
    ) -> pyvips.Image:
        if not networks:
            clear = np.zeros((view.height, view.width, 4), np.uint8)
            return pyvips.Image.new_from_array(clear, interpretation="srgb")
        scale, colours = self._scale(view), original.colours

        def read(box: Box) -> pyvips.Image:
            coloured = np.empty((box.height, box.width, 4), np.uint8)
            for block, place in blocks_of(box):
                inferred = self._inference.region(original, networks, block, wanted)
                plain = interpolated(original, scale, block)
                coloured[place] = fidelity_colours(inferred[..., :colours], plain[..., :colours])
            return as_image(coloured)

        return _cut(view, scale, read)


def _off_grid(box: Box, scale: int) -> bool:
    return any(length % scale for length in (box.left, box.top))


def _reduced(original: Original, view: View) -> pyvips.Image:
    """A tile of a half as it is, where that is wanted; else from a half with more px."""
    box, source = view.box, original.source
    half, on_ladder = _half(original, view)
    divisor = view.variant.scale * 2**half
    image = original.halves[half]
    left, right = _stretch(box.left, box.width, divisor, image.width)
    top, bottom = _stretch(box.top, box.height, divisor, image.height)
    reach = 0 if on_ladder else _REACH_PX
    first, above = max(0, int(left) - reach), max(0, int(top) - reach)
    last, below = min(image.width, ceil(right) + reach), min(image.height, ceil(bottom) + reach)
    samples = original.region(half, Box(first, above, last - first, below - above))
    part = as_image(samples, cmyk=source.cmyk)
    if on_ladder:
        return part
    return resampled(
        part, (left - first, top - above, right - first, bottom - above), view.width, view.height
    )


def _stretch(start: int, length: int, divisor: int, length_px: int) -> tuple[float, float]:
    """Where a stretch of a larger picture lies in a half: those of a TIFF may lack the last px."""
    return min(start / divisor, length_px - 1), min((start + length) / divisor, length_px)


def _half(original: Original, view: View) -> tuple[int, bool]:
    """Which half to read, and whether the answer is a part of it, px for px.

    Else it has two to four times as many px a side, or fewer where the answer is so long and thin
    that too many would be read.
    """
    box, scale = view.box, view.variant.scale
    for half, image in enumerate(original.halves):
        divisor = scale * 2**half
        inside = box.left + box.width <= image.width * divisor
        inside = inside and box.top + box.height <= image.height * divisor
        size = -(-box.width // divisor), -(-box.height // divisor)
        if inside and size == (view.width, view.height) and not _off_grid(box, divisor):
            return half, True
    wanted = int(log2(1 / view.factor) + 1e-9) - 1
    read_px = box.width * box.height / scale**2
    few = next(half for half in count() if read_px / 4**half <= _MOST_READ_PX)
    return min(len(original.halves) - 1, max(0, wanted, few)), False


def _cut(view: View, scale: int, read: Callable[[Box], pyvips.Image]) -> pyvips.Image:
    """From an enlargement with enough px. Where it has more, it is resampled as for a file.

    Where that is by a whole number, as on all levels of virtual pictures, the px are those of the
    whole; else the part is cut first.
    """
    zoom = Fraction(scale, view.variant.scale)
    left, top = view.box.left * zoom, view.box.top * zoom
    right, bottom = left + view.box.width * zoom, top + view.box.height * zoom
    shrink = (right - left) / view.width
    even = shrink == (bottom - top) / view.height and shrink.denominator == 1
    if not even or left % shrink or top % shrink:
        first, above = floor(left), floor(top)
        image = read(Box(first, above, ceil(right) - first, ceil(bottom) - above))
        part = float(left - first), float(top - above), float(right - first), float(bottom - above)
        return resampled(image, part, view.width, view.height)
    times = int(shrink)
    reach = _REACH_PX * times if times > 1 else 0
    whole_width, whole_height = (length * scale for length in view.source_px)
    first, above = max(0, int(left) - reach), max(0, int(top) - reach)
    last, below = min(whole_width, int(right) + reach), min(whole_height, int(bottom) + reach)
    image = read(Box(first, above, last - first, below - above))
    if times > 1:
        kind = image.format  # in whole numbers libvips' weights do not add up to 1
        image = image.cast("float").resize(1 / times, kernel="cubic", gap=0).rint().cast(kind)
    x, y = (int(left) - first) // times, (int(top) - above) // times
    return image.crop(x, y, view.width, view.height)


def _turned(image: pyvips.Image, view: View) -> pyvips.Image:
    if view.mirrored:
        image = image.fliphor()
    return image if not view.quarter_turns else image.rot(f"d{90 * view.quarter_turns}")


def _encoded(image: pyvips.Image, view: View) -> bytes:
    if view.quality in ("gray", "bitonal"):
        image = image.colourspace("b-w")
    if view.quality == "bitonal":
        colour = image[0] > _MIDDLE
        image = colour.bandjoin(image[1]) if image.bands > 1 else colour
        image = image.copy(interpretation="b-w")
    if view.suffix == "jpg":
        if image.hasalpha():
            image = image.flatten(background=_WHITE)
        content = image.jpegsave_buffer(Q=_JPEG_QUALITY, keep="none")
    elif view.suffix == "png":
        content = image.pngsave_buffer(compression=2, keep="none")
    else:
        content = image.webpsave_buffer(Q=_WEBP_QUALITY, effort=2, keep="none")
    encoded: bytes = content
    return encoded
