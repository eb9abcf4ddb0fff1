"""Make the answer to a view: read, enlarge or reduce, and encode."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import count
from math import ceil, floor, inf, log2

import numpy as np
import pyvips

from clearzoom.core.box import Box
from clearzoom.core.plan import most_times
from clearzoom.engines.chain import chain_sha256, chain_text
from clearzoom.engines.network import Network
from clearzoom.io.profile import to_display
from clearzoom.io.writing import as_image
from clearzoom.pipeline.appraise import unresolved
from clearzoom.pipeline.networks import chain_of, network_for
from clearzoom.pipeline.regions import RESAMPLING_REACH_PX
from clearzoom.pipeline.settings import Settings
from clearzoom.server.iiif.identifiers import BICUBIC, Variant
from clearzoom.server.locks import CancelCheck
from clearzoom.server.tiles.appraisals import Appraisals
from clearzoom.server.tiles.encode import encode_view
from clearzoom.server.tiles.fidelity import fidelity_colours
from clearzoom.server.tiles.inferred import Inference, blocks_of, interpolated
from clearzoom.server.tiles.marking import marked
from clearzoom.server.tiles.originals import Original
from clearzoom.server.tiles.pace import Pace
from clearzoom.server.tiles.resample import resampled
from clearzoom.server.tiles.views import Kind, View, ViewPlan, plan_view, settings_of
from clearzoom.weights import scales_of

_MOST_CHAINS = 8
_MOST_READ_PX = 80_000_000
"""The most px that one answer reads of a half: a bit more than four times the largest answer."""


@dataclass(frozen=True)
class Answer:
    """An encoded view.

    Attributes:
        content: the file.
        kind: what its pixels are.
        model: names, scales and hashes of the networks; None where nothing is inferred.
    """

    content: bytes
    kind: Kind
    model: str | None


class Renderer:
    """Plans and renders views.

    Args:
        inference: enlarges parts of pictures.
        settings: settings of the networks where a variant names no others.
        pace: measures how fast networks are.
    """

    def __init__(self, inference: Inference, settings: Settings, pace: Pace) -> None:
        self._inference, self._settings, self._pace = inference, settings, pace
        self._appraisals = Appraisals()
        self._chains: OrderedDict[tuple[Settings, tuple[int, ...]], tuple[Network, ...]]
        self._chains = OrderedDict()
        self._mutex = threading.Lock()

    def load(self) -> None:
        """Load the networks of the server's own model, so that the first view need not wait."""
        self.measure(Variant(""), lambda: None)
        for scale in scales_of(self._settings.model):
            network_for(unresolved(self._settings), scale)

    def is_measured(self, variant: Variant) -> bool:
        """Return whether it is known how fast a variant's model is; bicubic is fast."""
        return variant.model == BICUBIC or self._pace.is_known(self._model_of(variant))

    def measure(self, variant: Variant, check: CancelCheck) -> None:
        """Measure how fast a variant's model is.

        Raises:
            ModelError: there are no such weights.
        """
        settings = unresolved(settings_of(variant, self._settings))
        network = network_for(settings, max(scales_of(settings.model)))
        self._pace.measure(settings.model, network, check)

    def steps(self, variant: Variant) -> tuple[tuple[int, float], ...]:
        """List how much of a picture can be enlarged in time; see ``Limits``."""
        if variant.model == BICUBIC or not self.is_measured(variant):
            return ()
        model = self._model_of(variant)
        return self._pace.steps(model, scales_of(model))

    def _model_of(self, variant: Variant) -> str:
        return variant.model or self._settings.model

    def most_times(self, variant: Variant) -> float:
        """Return how many times wider than the original a variant's model can make a picture."""
        if variant.model == BICUBIC:
            return inf
        return most_times(scales_of(settings_of(variant, self._settings).model))

    def plan(self, view: View) -> ViewPlan:
        """Plan a view; see ``plan_view``."""
        return plan_view(view, self._settings)

    def ready_networks(self, original: Original, plan: ViewPlan) -> tuple[Network, ...] | None:
        """Return the networks of a plan, or None where they, or the picture, must be read first."""
        if plan.settings is None:
            return ()
        settings = self._appraisals.known(original, plan.settings, plan.stages)
        with self._mutex:
            return None if settings is None else self._chains.get((settings, plan.stages))

    def networks(self, original: Original, plan: ViewPlan) -> tuple[Network, ...]:
        """Load the networks of a plan, as they suit the picture; none where nothing is inferred.

        Raises:
            ModelError: there are no such weights.
            UnreadablePictureError: the file is damaged.
        """
        if plan.settings is None:
            return ()
        settings = self._appraisals.settle(original, plan.settings, plan.stages)
        networks = tuple(chain_of(settings, plan.stages))
        with self._mutex:
            self._chains[settings, plan.stages] = networks
            self._chains.move_to_end((settings, plan.stages))
            while len(self._chains) > _MOST_CHAINS:
                self._chains.popitem(last=False)
        return networks

    def render(
        self,
        original: Original,
        plan: ViewPlan,
        networks: tuple[Network, ...],
        check: CancelCheck,
    ) -> Answer:
        """Make the pixels of a view, and encode them.

        Args:
            original: the picture that the view's variant names.
            plan: the plan of the view.
            networks: what ``networks`` returns for both.
            check: is called before each tile.

        Raises:
            ConfigError: the watermark of the picture's owner cannot be drawn.
            ResultError: a network gave something that is no picture.
            UnreadablePictureError: the file is damaged there.
        """
        if plan.view.variant.fidelity:
            image = self._fidelity(original, plan, networks, check)
        else:
            image = self._image(original, plan, networks, check)
            image = to_display(image, original.source.icc_profile)
        if plan.watermark is not None:
            image = marked(image, plan.view, plan.watermark)
        model = None
        if networks:
            model = f"{chain_text(networks)}; sha256={chain_sha256(networks)}"
        return Answer(encode_view(image, plan.view), plan.kind, model)

    def _image(
        self, original: Original, plan: ViewPlan, networks: tuple[Network, ...], check: CancelCheck
    ) -> pyvips.Image:
        if plan.kind in ("original", "reduced"):
            return _reduced(original, plan.view)
        if plan.kind == "inferred":
            read = partial(self._inference.region, original, networks, check=check)
        else:
            read = partial(interpolated, original, plan.scale)
        cmyk = original.source.cmyk
        return _cut(plan, lambda box: as_image(read(box=box), cmyk=cmyk))

    def _fidelity(
        self, original: Original, plan: ViewPlan, networks: tuple[Network, ...], check: CancelCheck
    ) -> pyvips.Image:
        if not networks:
            clear = np.zeros((plan.view.height, plan.view.width, 4), np.uint8)
            return pyvips.Image.new_from_array(clear, interpretation="srgb")
        colours = original.colours

        def read(box: Box) -> pyvips.Image:
            coloured = np.empty((box.height, box.width, 4), np.uint8)
            for block, place in blocks_of(box):
                inferred = self._inference.region(original, networks, block, check)
                plain = interpolated(original, plan.scale, block)
                coloured[place] = fidelity_colours(inferred[..., :colours], plain[..., :colours])
            return as_image(coloured)

        return _cut(plan, read)


def _reduced(original: Original, view: View) -> pyvips.Image:
    """Read a part of a half as it is, or resample it from a half with more px."""
    box, source = view.box, original.source
    half, is_exact = _half(original, view)
    divisor = view.variant.scale * 2**half
    image = original.halves[half]
    left, right = _stretch(box.left, box.width, divisor, image.width)
    top, bottom = _stretch(box.top, box.height, divisor, image.height)
    reach = 0 if is_exact else RESAMPLING_REACH_PX
    first, above = max(0, int(left) - reach), max(0, int(top) - reach)
    last, below = min(image.width, ceil(right) + reach), min(image.height, ceil(bottom) + reach)
    samples = original.region(half, Box(first, above, last - first, below - above))
    part = as_image(samples, cmyk=source.cmyk)
    if is_exact:
        return part
    return resampled(
        part, (left - first, top - above, right - first, bottom - above), view.width, view.height
    )


def _stretch(start: int, length: int, divisor: int, length_px: int) -> tuple[float, float]:
    """Map a stretch of the variant into a half, whose last px a TIFF's own pyramid may lack."""
    return min(start / divisor, length_px - 1), min((start + length) / divisor, length_px)


def _half(original: Original, view: View) -> tuple[int, bool]:
    """Choose the half to read, and say whether the answer is a part of it, px for px.

    Otherwise the half has two to four times as many px a side as the answer; fewer where the answer
    is so long and thin that too many px would be read.
    """
    box, scale = view.box, view.variant.scale
    for half, image in enumerate(original.halves):
        divisor = scale * 2**half
        inside = box.left + box.width <= image.width * divisor
        inside = inside and box.top + box.height <= image.height * divisor
        size = -(-box.width // divisor), -(-box.height // divisor)
        if inside and size == (view.width, view.height) and box.is_on_grid(divisor):
            return half, True
    twice_as_large = int(log2(1 / view.factor) + 1e-9) - 1
    read_px = box.width * box.height / scale**2
    few = next(half for half in count() if read_px / 4**half <= _MOST_READ_PX)
    return min(len(original.halves) - 1, max(0, twice_as_large, few)), False


def _cut(plan: ViewPlan, read: Callable[[Box], pyvips.Image]) -> pyvips.Image:
    """Cut a view from the enlargement of its plan, and resample it as for a file.

    Where the enlargement is a whole number of times larger than the view, as on all levels of
    virtual pictures, the px are those of the whole picture resampled; otherwise the part is cut
    first, and then resampled.

    Args:
        plan: the plan of the view.
        read: returns a box of the enlargement.
    """
    view, scale = plan.view, plan.scale
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
    reach = RESAMPLING_REACH_PX * times if times > 1 else 0
    whole_width, whole_height = (length * scale for length in view.source_px)
    first, above = max(0, int(left) - reach), max(0, int(top) - reach)
    last, below = min(whole_width, int(right) + reach), min(whole_height, int(bottom) + reach)
    image = read(Box(first, above, last - first, below - above))
    if times > 1:
        kind = image.format  # in whole numbers libvips' weights do not add up to 1
        image = image.cast("float").resize(1 / times, kernel="cubic", gap=0).rint().cast(kind)
    x, y = (int(left) - first) // times, (int(top) - above) // times
    return image.crop(x, y, view.width, view.height)
