"""What suits each served picture: looked at once, as the command does."""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from functools import partial

from clearzoom.core.box import Box
from clearzoom.io.compression_error import compression_error_levels
from clearzoom.io.windows import window_grid
from clearzoom.pipeline.appraise import Appraisal, appraise, resolved
from clearzoom.pipeline.job import channels_of
from clearzoom.pipeline.settings import Settings
from clearzoom.server.tiles.originals import Original

_KEPT = 1024
_KEPT_APPRAISALS = 16
"""Each has two megabytes of windows, which other models look at too."""


class Looks:
    """Settles what settings leave to a picture; any thread may ask."""

    def __init__(self) -> None:
        self._settled: OrderedDict[Hashable, Settings] = OrderedDict()
        self._appraisals: OrderedDict[str, Appraisal] = OrderedDict()
        self._mutex = threading.Lock()

    def know(self, original: Original, settings: Settings, stages: Sequence[int]) -> bool:
        """Say whether ``settings`` will answer at once."""
        left_open = "auto" in (settings.consistency, settings.denoise)
        return not left_open or (original.sha256, settings, stages[0]) in self._settled

    def settings(self, original: Original, settings: Settings, stages: Sequence[int]) -> Settings:
        """Settle what is left to the picture.

        Args:
            original: is read by region.
            settings: as wanted.
            stages: scales of the networks that will run, at least one.

        Raises:
            ModelError: no such weights.
            UnreadablePictureError: the file is damaged.
        """
        key = original.sha256, settings, stages[0]
        with self._mutex:
            if (known := self._settled.get(key)) is not None:
                return known
        found = resolved(settings, stages, partial(self._appraisal, original))
        with self._mutex:
            self._settled[key] = found
            while len(self._settled) > _KEPT:
                self._settled.popitem(last=False)
        return found

    def _appraisal(self, original: Original) -> Appraisal:
        with self._mutex:
            if (known := self._appraisals.get(original.sha256)) is not None:
                return known
        source = original.source
        windows = [
            original.region(0, Box(at.left, at.top, at.width, at.height))
            for at in window_grid(source.width_px, source.height_px)
        ]
        coding = compression_error_levels(source.path, source.kind)
        appraisal = appraise(windows, channels_of(source), coding)
        with self._mutex:
            self._appraisals[original.sha256] = appraisal
            while len(self._appraisals) > _KEPT_APPRAISALS:
                self._appraisals.popitem(last=False)
        return appraisal
