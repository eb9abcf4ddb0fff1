"""Enlarge the core of a tile, blended from several windows where the network needs that.

A network that sees the whole picture gives neighbouring windows different results. Where their
cores meet, the one fades into the other, so that no edge is seen.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from clearzoom.core.grid import Tile
from clearzoom.engines.chain import Stage
from clearzoom.engines.tile import Channels, enlarge_tile, read_by
from clearzoom.io.picture import Samples

_KEPT_BYTES = 128_000_000
"""Memory for enlarged windows: the row of tiles above, up to pictures of about 8,000 px."""


def enlarge_core(
    window: Samples, origin: tuple[int, int], stage: Stage, index: int, channels: Channels
) -> Samples:
    """Enlarge the core of one tile; its px are those of the whole enlargement.

    Args:
        window: (H, W, C) uint8 or uint16, at least the px that ``Stage.window`` names.
        origin: row and column of the window's first px in the picture.
        stage: its network runs on the tile.
        index: the tile's number on the stage's grid.
        channels: what the C channels hold.

    Returns:
        (scale * h, scale * w, C) for a core of h x w px, of the window's dtype.

    Raises:
        ResultError: the network gave something that is no picture, also in fp32.
    """
    if not stage.blend_px:
        return enlarge_tile(window, origin, stage.tile(index), stage.network, channels)
    scale, core = stage.network.scale, stage.core(index)
    total = np.zeros((core.height, core.width, window.shape[2]), np.float32)
    for tile, down, across in stage.parts(index):
        larger = _window_of(window, origin, stage, tile, channels)
        top, left = core.top // scale, core.left // scale
        bottom = min(core.bottom // scale, tile.rows.core_stop)
        right = min(core.right // scale, tile.columns.core_stop)
        rows = slice((top - tile.rows.core_start) * scale, (bottom - tile.rows.core_start) * scale)
        columns = slice(
            (left - tile.columns.core_start) * scale, (right - tile.columns.core_start) * scale
        )
        weights = np.outer(down.weights(top, bottom, scale), across.weights(left, right, scale))
        part = total[: (bottom - top) * scale, : (right - left) * scale]
        part += larger[rows, columns] * weights[..., None]
    levels: Samples = np.floor(total + np.float32(0.5)).astype(window.dtype)
    return levels


class _Kept:
    """Keeps the results of the latest windows; a second thread waits for the first."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._lock = threading.Lock()
        self._results: OrderedDict[bytes, Future[Samples]] = OrderedDict()

    def get(self, key: bytes, make: Callable[[], Samples]) -> Samples:
        """Return the result of a key, made at its first use."""
        with self._lock:
            future = self._results.get(key)
            if future is not None:
                self._results.move_to_end(key)
            else:
                mine = self._results[key] = Future()
        if future is not None:
            return future.result()
        try:
            result = make()
        except BaseException as error:
            with self._lock:
                self._results.pop(key, None)
            mine.set_exception(error)
            raise
        mine.set_result(result)
        with self._lock:
            self._bytes += result.nbytes
            while self._bytes > self._most_bytes:
                oldest = next((k for k, f in self._results.items() if f.done()), None)
                if oldest is None:
                    break
                self._bytes -= self._results.pop(oldest).result().nbytes
        return result


_kept = _Kept(_KEPT_BYTES)


def _window_of(
    window: Samples, origin: tuple[int, int], stage: Stage, tile: Tile, channels: Channels
) -> Samples:
    """Enlarge a window once for the up to four cores that it is a part of."""
    # By content: cores of other pictures, or of the picture that an earlier stage made, differ. The
    # place does not count: across a wrapped edge one window has two.
    read, first = read_by(tile, window, origin)
    height, width = read.shape[:2]
    rows = tile.rows.within(first[0], first[0] + height)
    columns = tile.columns.within(first[1], first[1] + width)
    words = f"{stage.network.identity} {rows} {columns} {channels} {read.dtype} {read.shape}"
    key = hashlib.blake2b(words.encode() + read.tobytes(), digest_size=20).digest()
    return _kept.get(key, lambda: enlarge_tile(read, first, tile, stage.network, channels))
