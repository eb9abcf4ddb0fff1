"""Enlarge numpy arrays: one picture, or a batch of pictures of the same size."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from clearzoom.engines.tile import Channels
from clearzoom.engines.tiled import Progress
from clearzoom.errors import InputError, SizeError
from clearzoom.io.picture import Samples, colours_of
from clearzoom.pipeline.in_memory import enlarge_in_memory
from clearzoom.pipeline.progress import in_turn
from clearzoom.pipeline.settings import Settings

Array = npt.NDArray[Any]

_CHANNELS = (1, 2, 3, 4)
_ROUNDING = 1e-3
"""How far a computation leaves 0..1 by rounding alone, also in float16."""

_FORMS = "give (H, W), (H, W, C) or a batch (N, H, W, C), where C is 1, 2, 3 or 4"


def check_array(array: Array) -> None:
    """Refuse an array that is no picture and no batch.

    Three axes are always one picture (H, W, C), and never a batch of grey ones.

    Args:
        array: any array.

    Raises:
        InputError: its axes or its dtype are no picture's, a px has no level, or a float lies
            outside of 0..1.
        SizeError: it is an empty batch.
    """
    if isinstance(array, np.ma.MaskedArray):
        raise InputError("a masked array has px without a level; give array.filled(0)")
    if array.ndim not in (2, 3, 4) or (array.ndim > 2 and array.shape[-1] not in _CHANNELS):
        raise InputError(f"an array of shape {array.shape} is no picture; {_FORMS}{_hint(array)}")
    if array.ndim == 4 and not len(array):
        raise SizeError(f"a batch of shape {array.shape} has no picture")
    if np.issubdtype(array.dtype, np.floating):
        least, most = float(np.min(array, initial=0)), float(np.max(array, initial=0))
        if not (least >= 0 and most <= 1):
            raise InputError(
                f"a float picture must lie in 0..1, without NaN, not in {least:.9g}..{most:.9g}"
                f"{_float_hint(least, most)}"
            )
    elif array.dtype.newbyteorder("=") not in (np.uint8, np.uint16):
        right = "uint8 (0..255), uint16 (0..65535) or float (0..1)"
        right = "array * numpy.uint8(255)" if array.dtype == np.bool_ else right
        raise InputError(f"cannot enlarge {array.dtype} samples; give {right}")


def _hint(array: Array) -> str:
    """Say what to do with an array whose channels do not come last."""
    if array.ndim in (3, 4) and array.shape[-3] in _CHANNELS:
        return "; where channels come first, give numpy.moveaxis(array, -3, -1)"
    return "; of grey pictures, give array[..., None]" if array.ndim == 3 else ""


def _float_hint(least: float, most: float) -> str:
    """Say what brings floats into 0..1; NaN is less than nothing, so it gets no such words."""
    if least >= -_ROUNDING and most <= 1 + _ROUNDING:
        return "; give array.clip(0, 1)"
    if least >= 0 and 2 <= most <= 255:
        return "; where white is 255, give array / 255"
    return "; where black is -1, give (array + 1) / 2" if least >= -1 and most <= 1 else ""


def enlarge_array(
    array: Array, settings: Settings, progress: Progress | None = None
) -> tuple[Array, list[str]]:
    """Enlarge an array that ``check_array`` accepts.

    Args:
        array: (H, W), (H, W, C), or a batch (N, H, W, C).
        settings: the user's settings.
        progress: is called with (tiles done, tiles in all), those of all pictures of a batch.

    Returns:
        An array of the same dtype and number of axes, and notes on what the user should know.

    Raises:
        ClearzoomError: as ``enlarge_in_memory`` raises it.
    """
    array = np.asarray(array)  # a matrix could not have a third axis
    if array.ndim == 2:
        larger, notes = _enlarge_one(array[..., None], settings, progress)
        return larger[..., 0], notes
    if array.ndim == 3:
        return _enlarge_one(array, settings, progress)
    done = [
        _enlarge_one(each, settings, in_turn(progress, index, len(array)))
        for index, each in enumerate(array)
    ]
    notes = list(dict.fromkeys(note for _, more in done for note in more))
    return np.stack([larger for larger, _ in done]), notes


def _enlarge_one(
    picture: Array, settings: Settings, progress: Progress | None
) -> tuple[Array, list[str]]:
    channels = Channels(colours_of(picture.shape[2], cmyk=False))
    run = partial(enlarge_in_memory, channels=channels, settings=settings, progress=progress)
    if np.issubdtype(picture.dtype, np.floating):
        deep: Samples = np.round(picture.astype(np.float64) * 65535.0).astype(np.uint16)
        done = run(deep)
        larger = (done.samples / 65535.0).astype(picture.dtype, copy=False)
    else:
        done = run(picture.astype(picture.dtype.newbyteorder("="), copy=False))
        larger = done.samples.astype(picture.dtype, copy=False)
    return larger, list(done.notes)
