"""Enlarge a whole picture by one network, several tiles at once."""

import mmap
import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from math import prod

import numpy as np
import numpy.typing as npt

from clearzoom.engines.blended import enlarge_core
from clearzoom.engines.chain import Stage
from clearzoom.engines.network import Network
from clearzoom.engines.tile import Channels
from clearzoom.errors import SizeError
from clearzoom.io.picture import Samples, colours_of

Progress = Callable[[int, int], None]
"""Called with (tiles done, tiles in all)."""

TILES_IN_FLIGHT = 2
"""One tile is in the network while another is prepared or stored."""

_MAP_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)  # Linux's value; Python names it since 3.13


def enlarge_samples(
    samples: Samples, network: Network, progress: Progress | None = None, *, cmyk: bool = False
) -> Samples:
    """Enlarge a whole picture in memory by one network.

    Args:
        samples: (H, W, C) uint8 or uint16; C is 1 grey, 3 RGB, 4 CMYK, and one more with alpha.
        network: runs tile by tile, so working memory does not grow with the picture.
        progress: is called after each tile.
        cmyk: whether four channels are CMYK, not RGB and alpha.

    Returns:
        (scale * H, scale * W, C), the same dtype.

    Raises:
        SizeError: an empty picture, or the result does not fit into memory.
        ResultError: the network gave something that is no picture.
    """
    height, width, bands = samples.shape
    if not height or not width:
        raise SizeError(f"a picture of {width}x{height} px has nothing to enlarge")
    stage = Stage(network, height, width)
    tiles = stage.tiles_in(stage.result)
    result = room_for((stage.result.height, stage.result.width, bands), samples.dtype)

    def finished(done: int, tile: int) -> None:
        if progress is not None:
            progress(done, len(tiles))

    channels = Channels(colours_of(bands, cmyk=cmyk))
    enlarge_tiles(samples, result, stage, tiles, channels, finished)
    return result


def enlarge_tiles(
    samples: Samples,
    result: Samples,
    stage: Stage,
    tiles: Sequence[int],
    channels: Channels,
    finished: Callable[[int, int], None],
    in_flight: int = TILES_IN_FLIGHT,
) -> None:
    """Enlarge some tiles of a picture into its result, several at once.

    Args:
        samples: (H, W, C) uint8 or uint16, the stage's input, also in a file.
        result: (scale * H, scale * W, C), likewise.
        stage: its network is shared by the threads.
        tiles: numbers of tiles, in the order in which they are made.
        channels: what the C channels hold.
        finished: called from this thread with (how many are done, the tile's number).
        in_flight: tiles at work at once; the result does not depend on it.

    Raises:
        ResultError: the network gave something that is no picture, also in fp32.
    """
    waiting: deque[tuple[int, Future[Samples]]] = deque()
    with ThreadPoolExecutor(in_flight) as pool:
        upcoming = iter(tiles)
        for done in range(1, len(tiles) + 1):
            while len(waiting) < in_flight and (tile := next(upcoming, None)) is not None:
                core = pool.submit(enlarge_core, samples, (0, 0), stage, tile, channels)
                waiting.append((tile, core))
            tile, core = waiting.popleft()
            try:
                result[stage.core(tile).slices] = core.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
            finished(done, tile)


def room_for(shape: tuple[int, int, int], dtype: npt.DTypeLike, *, sparse: bool = False) -> Samples:
    """Allocate an empty picture in memory.

    Args:
        shape: height, width, channels.
        dtype: uint8 or uint16.
        sparse: only a part of it will be written, and that alone needs memory.

    Raises:
        SizeError: it does not fit into memory.
    """
    try:
        if sparse and sys.platform == "linux":
            # Otherwise the system counts all of it, and refuses what it could not give.
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
            pages = mmap.mmap(-1, max(1, prod(shape) * np.dtype(dtype).itemsize), flags)
            return np.ndarray(shape, dtype, pages)
        room: Samples = np.empty(shape, dtype)
    except (MemoryError, OSError) as error:
        raise SizeError(
            f"the result of {shape[1]}x{shape[0]} px does not fit into memory; cut the picture"
        ) from error
    return room
