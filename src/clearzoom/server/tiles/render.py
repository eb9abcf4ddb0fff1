"""Make the answer to a view: read, enlarge or reduce, and encode."""

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from math import inf

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
from clearzoom.pipeline.settings import Settings
from clearzoom.server.iiif.identifiers import BICUBIC, Variant
from clearzoom.server.locks import CancelCheck
from clearzoom.server.tiles.appraisals import Appraisals
from clearzoom.server.tiles.cutting import cut, reduced
from clearzoom.server.tiles.encode import encode_view
from clearzoom.server.tiles.fidelity import fidelity_colours
from clearzoom.server.tiles.inferred import Inference, blocks_of, interpolated
from clearzoom.server.tiles.marking import marked
from clearzoom.server.tiles.original import Original
from clearzoom.server.tiles.pace import Pace
from clearzoom.server.tiles.views import Kind, View, ViewPlan, plan_view, settings_of
from clearzoom.weights import scales_of, work_of

_MOST_CHAINS = 8
_log = logging.getLogger("clearzoom.server")


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
            network = network_for(unresolved(self._settings), scale)
            for note in network.notes:
                _log.warning("%s", note)

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

    def measure_once(self, variant: Variant) -> None:
        """Measure how fast a virtual picture's model is, unless that is known.

        Raises:
            ModelError: there are no such weights.
        """
        if variant.scale > 1 and not self.is_measured(variant):
            self.measure(variant, lambda: None)

    def steps(self, variant: Variant) -> tuple[tuple[int, float], ...]:
        """List how much of a picture can be enlarged in time; see ``Limits``."""
        if variant.model == BICUBIC or not self.is_measured(variant):
            return ()
        model = self._model_of(variant)
        return self._pace.steps(model, work_of(model))

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
            return reduced(original, plan.view)
        if plan.kind == "inferred":
            read = partial(self._inference.region, original, networks, check=check)
        else:
            read = partial(interpolated, original, plan.scale)
        cmyk = original.source.cmyk
        return cut(plan, lambda box: as_image(read(box=box), cmyk=cmyk))

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

        return cut(plan, read)
