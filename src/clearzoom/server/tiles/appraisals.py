"""Settings that suit each served picture, which is appraised once, as the command does it."""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import partial

from clearzoom.io.compression_error import compression_error_levels
from clearzoom.io.windows import window_grid
from clearzoom.pipeline.appraise import Appraisal, appraise, resolved
from clearzoom.pipeline.job import channels_of, stated_wrap
from clearzoom.pipeline.settings import Settings
from clearzoom.server.tiles.original import Original, store_errors_as_503

_MOST_SETTLED = 1024
_MOST_APPRAISALS = 16
"""Each holds two megabytes of windows, which every further model estimates from."""


class Appraisals:
    """Settles the settings that are left to a picture; any thread may call it."""

    def __init__(self) -> None:
        self._settled: OrderedDict[Hashable, Settings] = OrderedDict()
        self._appraisals: OrderedDict[str, Appraisal] = OrderedDict()
        self._mutex = threading.Lock()

    def known(
        self, original: Original, settings: Settings, stages: Sequence[int]
    ) -> Settings | None:
        """Return what ``settle`` returns, or None where it would appraise the picture first."""
        with self._mutex:
            return self._settled.get((original.sha256, settings, stages[0]))

    def settle(self, original: Original, settings: Settings, stages: Sequence[int]) -> Settings:
        """Settle what settings leave to the picture.

        Args:
            original: the picture, which is read by region.
            settings: the settings, in which consistency, denoise and wrap may be ``auto``.
            stages: scales of the networks that will run, at least one.

        Raises:
            ModelError: there are no such weights.
            UnreadablePictureError: the file is damaged.
        """
        key = original.sha256, settings, stages[0]
        with self._mutex:
            if (known := self._settled.get(key)) is not None:
                return known
        stated = stated_wrap(original.source, settings)
        chosen = settings if stated is None else replace(settings, wrap=stated)
        settled = resolved(chosen, stages, partial(self._appraisal, original))
        with self._mutex:
            self._settled[key] = settled
            while len(self._settled) > _MOST_SETTLED:
                self._settled.popitem(last=False)
        return settled

    def _appraisal(self, original: Original) -> Appraisal:
        with self._mutex:
            if (known := self._appraisals.get(original.sha256)) is not None:
                return known
        source = original.source
        windows = [
            original.region(0, window) for window in window_grid(source.width_px, source.height_px)
        ]
        with store_errors_as_503(original.remote):
            coding = compression_error_levels(source.path, source.kind, original.parts)
        appraisal = appraise(windows, channels_of(source), coding)
        with self._mutex:
            self._appraisals[original.sha256] = appraisal
            while len(self._appraisals) > _MOST_APPRAISALS:
                self._appraisals.popitem(last=False)
        return appraisal
