"""Views: a part of a picture in a size, and the plan by which its pixels are made."""

from dataclasses import dataclass
from math import ceil, log2, prod
from typing import Literal

from clearzoom.core.box import Box
from clearzoom.core.plan import chain_for
from clearzoom.errors import SizeError
from clearzoom.pipeline.settings import Settings
from clearzoom.server.gallery.watermark import Watermark
from clearzoom.server.iiif.identifiers import BICUBIC, Variant
from clearzoom.weights import work_of

Quality = Literal["default", "color", "gray", "bitonal"]
Suffix = Literal["jpg", "png", "webp", "avif"]
Kind = Literal["original", "reduced", "interpolated", "inferred"]

_MOST_INFERRED_PX = 100_000_000
"""The largest enlargement of a view's box. It can have many more px than the answer: with a network
for x4 alone, an answer of x1.1 is cut from an enlargement of x4."""


@dataclass(frozen=True)
class View:
    """A part of a picture in a size, as a client requests it.

    Attributes:
        variant: the picture, or the virtual picture, in whose px ``box`` counts.
        source_px: width and height of the original.
        box: the part, inside of the variant.
        width: width of the answer, px.
        height: height of the answer, px.
        mirrored: whether the answer is mirrored, which comes before the rotation.
        degrees: the clockwise rotation, 0 to less than 360.
        quality: IIIF's quality.
        suffix: the format of the answer.
        watermark: what the picture's owner wants drawn over it; ``ViewPlan`` says whether it is.
    """

    variant: Variant
    source_px: tuple[int, int]
    box: Box
    width: int
    height: int
    mirrored: bool = False
    degrees: float = 0.0
    quality: Quality = "default"
    suffix: Suffix = "jpg"
    watermark: Watermark | None = None

    @property
    def factor(self) -> float:
        """How many px of the answer each px of the original has along one side."""
        larger = max(self.width / self.box.width, self.height / self.box.height)
        return larger * self.variant.scale


@dataclass(frozen=True)
class ViewPlan:
    """How the pixels of a view are made.

    Attributes:
        view: the view that is planned.
        kind: what its pixels are.
        scale: the view is cut from an enlargement of the original by this factor; 1 means that it
            is cut from the original or from one of its halves.
        stages: scales of the networks, one after the other; empty where nothing is inferred.
        settings: settings of the networks, which may leave consistency and denoise to the picture;
            None where nothing is inferred.
    """

    view: View
    kind: Kind
    scale: int = 1
    stages: tuple[int, ...] = ()
    settings: Settings | None = None

    @property
    def watermark(self) -> Watermark | None:
        """What is drawn over the pixels; nothing over a map of what a network added."""
        watermark = self.view.watermark
        if watermark is None or self.view.variant.fidelity or not watermark.is_on(self.kind):
            return None
        return watermark


def plan_view(view: View, default: Settings) -> ViewPlan:
    """Plan how the pixels of a view are made; nothing is read or computed but model cards.

    Args:
        view: a view of any variant.
        default: the server's settings, which hold where the variant names nothing else.

    Raises:
        ModelError: there are no such weights.
        SizeError: no chain of networks reaches the size, or too many px would be inferred.
    """
    variant = view.variant
    if view.factor <= 1:
        same_px = (view.box.width, view.box.height) == (
            view.width * variant.scale,
            view.height * variant.scale,
        )
        is_original = same_px and view.box.is_on_grid(variant.scale)
        return ViewPlan(view, "original" if is_original else "reduced")
    if variant.model == BICUBIC:
        # The next power of two; a factor such as 4.0000000001 is a rounded 4.
        plan = ViewPlan(view, "interpolated", 1 << ceil(log2(view.factor) - 1e-9))
    else:
        settings = settings_of(variant, default)
        stages = chain_for(view.factor, work_of(settings.model))
        plan = ViewPlan(view, "inferred", prod(stages), stages, settings)
    enlarged = (plan.scale / variant.scale) ** 2
    if view.box.width * view.box.height * enlarged > _MOST_INFERRED_PX:
        raise SizeError("that is too much to infer at once; ask for a smaller part")
    return plan


def settings_of(variant: Variant, default: Settings) -> Settings:
    """Return the settings of the networks that infer a variant.

    Args:
        variant: the model, strength and denoising that it names come first.
        default: the server's settings, which hold for the rest.
    """
    return Settings(
        model=variant.model or default.model,
        strength=variant.strength,
        consistency=default.consistency,
        denoise=default.denoise if variant.denoise is None else variant.denoise,
        device=default.device,
    )
