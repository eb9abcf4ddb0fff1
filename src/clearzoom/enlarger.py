"""The Python call for many pictures: ``clearzoom.Enlarger``."""

import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, overload

import numpy as np
import numpy.typing as npt

from clearzoom.core.consistency import Consistency
from clearzoom.core.targets import Print, Wanted
from clearzoom.engines import Device, Engine, Precision
from clearzoom.engines.tile import Channels
from clearzoom.engines.tiled import Progress
from clearzoom.io.background import Background
from clearzoom.io.formats import ResultFormat
from clearzoom.io.reading import DEFAULT_MAX_PIXELS
from clearzoom.io.tiff_compressions import TiffCompression
from clearzoom.pipeline.any_picture import Tell, enlarge_any
from clearzoom.pipeline.fields import WrapChoice
from clearzoom.pipeline.in_memory import enlarge_in_memory
from clearzoom.pipeline.options import in_keywords, settings_of
from clearzoom.pipeline.settings import Settings
from clearzoom.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    from PIL import Image

PictureT = TypeVar(
    "PictureT", bound="str | Path | bytes | bytearray | npt.NDArray[Any] | Image.Image"
)
"""What comes back as the same kind of thing."""


class BinaryFile(Protocol):
    """A file that is open for reading in binary mode."""

    def read(self) -> bytes:
        """Return what is left of the file."""


class Enlarger:
    """Enlarge pictures with the same options, one after the other or from several threads.

    Making it checks the options and loads the network. It may be called like a function. All that
    it gives is what ``clearzoom.enlarge`` gives with the same options.

    A process keeps the eight networks that it used last, about 100 MB each; enlargers, and calls of
    ``clearzoom.enlarge``, share them. A model with denoise levels is another network at each level.
    Threads share a network, too. One call uses all cores already, so more threads hardly enlarge
    faster; each takes memory for its own picture and its result. With ``memory``, calls wait for
    one another, since the limit is that of the process. Processes share nothing: make an enlarger
    in each, and start them by ``spawn``. In a fork libvips would wait for ever for its threads, so
    all but plain arrays is refused there.

    Args:
        scale: and all others, as ``clearzoom.enlarge`` documents them.

    Attributes:
        settings: the options as ``Settings``, for ``clearzoom.enlarge_file``.

    Raises:
        InputError: an option has an unsupported value, or two contradict each other.
        ModelError: there are no such weights, or they are damaged.

    Example:
        >>> import clearzoom
        >>> import numpy as np
        >>> enlarger = clearzoom.Enlarger(model="fast", scale=2)
        >>> enlarger(np.zeros((4, 6, 3), np.uint8)).shape
        (8, 12, 3)
        >>> first, second = enlarger([np.zeros((4, 6)), np.zeros((5, 5))])
        >>> second.shape
        (10, 10)
    """

    def __init__(
        self,
        *,
        scale: float | None = None,
        model: str = DEFAULT_MODEL,
        width: int | None = None,
        height: int | None = None,
        long_edge: int | None = None,
        megapixels: float | None = None,
        print_size: str | Print | None = None,
        fill: bool = False,
        bleed: str | None = None,
        strength: float = 1.0,
        engine: Engine = "auto",
        precision: Precision = "fp32",
        device: Device = "auto",
        ensemble: bool = False,
        consistency: Consistency | Literal["auto"] = "auto",
        denoise: float | Literal["auto"] = "auto",
        back_projection: bool | None = None,
        wrap: WrapChoice = "auto",
        pixel_art: bool = False,
        halo: int | None = None,
        quality: int = 95,
        max_bytes: int | str | None = None,
        tiff_compression: TiffCompression = "deflate",
        background: Background = "none",
        metadata: Literal["keep", "strip"] = "keep",
        memory: int | str | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        format: ResultFormat | None = None,
    ) -> None:
        self.settings: Settings = settings_of(
            {
                "scale": scale,
                "model": model,
                "width": width,
                "height": height,
                "long_edge": long_edge,
                "megapixels": megapixels,
                "print_size": print_size,
                "fill": fill,
                "bleed": bleed,
                "strength": strength,
                "engine": engine,
                "precision": precision,
                "device": device,
                "ensemble": ensemble,
                "consistency": consistency,
                "denoise": denoise,
                "back_projection": back_projection,
                "wrap": wrap,
                "pixel_art": pixel_art,
                "halo": halo,
                "quality": quality,
                "max_bytes": max_bytes,
                "tiff_compression": tiff_compression,
                "background": background,
                "metadata": metadata,
                "memory": memory,
                "max_pixels": max_pixels,
                "format": format,
            }
        )
        self._alone = nullcontext() if memory is None else threading.Lock()
        _warm(self.settings)

    @overload
    def enlarge(
        self,
        picture: PictureT,
        *,
        output: str | Path | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        notes: Tell | None = None,
    ) -> PictureT: ...
    @overload
    def enlarge(
        self,
        picture: BinaryFile,
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        notes: Tell | None = None,
    ) -> bytes: ...
    @overload
    def enlarge(
        self,
        picture: list[PictureT] | tuple[PictureT, ...],
        *,
        output: str | Path | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        notes: Tell | None = None,
    ) -> list[PictureT]: ...
    @overload
    def enlarge(
        self,
        picture: list[BinaryFile] | tuple[BinaryFile, ...],
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        notes: Tell | None = None,
    ) -> list[bytes]: ...
    def enlarge(
        self,
        picture: Any,
        *,
        output: str | Path | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        notes: Tell | None = None,
    ) -> Any:
        """Enlarge a picture, or a list of pictures.

        Args:
            picture: as for ``clearzoom.enlarge``, and so are the others.
            output: the result's path or folder, for pictures that are given by path.
            progress: is called with (tiles done, tiles in all).
            cancel: ends the work after the running tile once it is set.
            notes: is called with each note; without it, they are warnings in the log.

        Returns:
            What ``clearzoom.enlarge`` returns.

        Raises:
            ClearzoomError: as ``clearzoom.enlarge`` raises it.

        Example:
            >>> import clearzoom
            >>> import numpy as np
            >>> enlarger = clearzoom.Enlarger(model="fast", scale=2)
            >>> batch = np.zeros((2, 4, 6, 3), np.float32)
            >>> enlarger.enlarge(batch, progress=print).shape
            1 2
            2 2
            (2, 8, 12, 3)
        """
        with self._alone:
            return enlarge_any(picture, self.settings, output, progress, cancel, notes)

    __call__ = enlarge


def _warm(settings: Settings) -> None:
    """Enlarge a tiny picture, so that the engine and its network are loaded and have run once."""
    size = Wanted(settings.wanted.scale)  # a print of 8 px would be too large
    small = replace(settings, wanted=size, memory_bytes=None, max_pixels=DEFAULT_MAX_PIXELS)
    with in_keywords():
        enlarge_in_memory(np.zeros((8, 8, 3), np.uint8), Channels(3), small)
