"""The Python call: ``clearzoom.enlarge``."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import numpy as np
import numpy.typing as npt

from clearzoom.checked import checked_path
from clearzoom.core.consistency import Consistency
from clearzoom.core.plan import make_plan
from clearzoom.core.targets import Wanted
from clearzoom.engines.tile import Channels
from clearzoom.engines.tiled import Progress
from clearzoom.errors import (
    InputError,
    MissingFileError,
    OutputError,
    SizeError,
    UnreadablePictureError,
)
from clearzoom.io.compression_error import levels_of_tables
from clearzoom.io.picture import Samples, colours_of
from clearzoom.pipeline.appraise import appraise_samples, resolved
from clearzoom.pipeline.beside import beside
from clearzoom.pipeline.finish import finished_image
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.networks import chain_of, scales_for
from clearzoom.pipeline.regions import whole_result
from clearzoom.pipeline.run import Done, run_job
from clearzoom.pipeline.settings import Settings
from clearzoom.pipeline.stages import run_stages
from clearzoom.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    from PIL import Image

Larger = Callable[..., Samples]
"""Enlarges samples; takes them, their channels, and the rms error of compression in levels."""

PictureT = TypeVar("PictureT", bound="str | Path | npt.NDArray[Any] | Image.Image")


def enlarge(
    picture: PictureT,
    scale: float = 4,
    model: str = DEFAULT_MODEL,
    *,
    strength: float = 1.0,
    ensemble: bool = False,
    consistency: Consistency | Literal["auto"] = "auto",
    denoise: float | Literal["auto"] = "auto",
    back_projection: bool | None = None,
) -> PictureT:
    """Enlarge a picture; the same kind of thing comes back.

    Args:
        picture: a path, a PIL picture, or an array (H, W) or (H, W, C) with C = 1 grey, 2 grey and
            alpha, 3 RGB, 4 RGB and alpha. Alpha is straight. Arrays are uint8, uint16 of either
            byte order, or float in 0..1. A matrix counts as an array of two axes.
        scale: how many times wider and higher. Networks are chosen and chained, and one resampling
            ends at the exact size, as for files.
        model: the name of a released model or of your own, or the path of an ONNX file that
            ``clearzoom export`` wrote.
        strength: how much of a perceptual model is used, 0 to 1; at 0 ``photo-crisp`` is ``photo``.
        ensemble: whether to average over the eight symmetries of the square, which is better and
            takes 8 times as long.
        consistency: how much of the difference from the picture is given back: ``full``, what is
            beyond a number of levels of 255, ``tones`` or ``none``; ``auto`` chooses by the model
            and the picture.
        denoise: 0 keeps grain, 1 cleans badly spoilt pictures, for models with denoise levels;
            ``auto`` chooses by the picture.
        back_projection: the old name of consistency: true is ``full``, false ``none``.

    Returns:
        For a path, the path of the new file beside it: NAME-x4.jpg for NAME.jpg, and NAME-x4.png
        where the format is not written, like HEIC. For a PIL picture, one of the same mode, with
        its dpi and profile; but mode 1 becomes L, palettes, YCbCr, LAB, HSV and RGBX become RGB (or
        RGBA with transparency), and premultiplied modes become straight. For an array, one of the
        same dtype and number of axes.

    Raises:
        InputError: the picture is missing, unreadable, or of an unsupported form; or an argument
            has an unsupported value.
        OutputError: the new file exists already or cannot be written.
        ModelError: there are no such weights, or they are damaged.

    Example:
        >>> import clearzoom
        >>> from PIL import Image
        >>> picture = Image.new("RGB", (6, 4), "white")
        >>> larger = clearzoom.enlarge(picture, scale=2.5)
        >>> larger.size, larger.getpixel((7, 5))
        ((15, 10), (255, 255, 255))
    """
    if scale is None:
        raise SizeError("scale should be a number, not None")
    settings = Settings(
        Wanted(scale),
        model,
        strength=strength,
        ensemble=ensemble,
        consistency=consistency,
        denoise=denoise,
        back_projection=back_projection,
    )
    if isinstance(picture, str | Path):
        source = checked_path(picture)
        if not source.is_file():
            raise _no_file(source)
        target = checked_path(beside(source, settings.wanted), "the result's path")
        if target.exists():
            raise OutputError(f"{target} exists; remove it, or use enlarge_file")
        enlarge_file(source, target, settings)
        return cast(PictureT, type(picture)(target))
    larger = _enlarger(settings)
    if isinstance(picture, np.ndarray):
        return cast(PictureT, _enlarge_array(picture, larger))
    from PIL import Image

    if isinstance(picture, Image.Image):
        return cast(PictureT, _enlarge_pil(picture, larger))
    raise InputError(f"cannot enlarge a {type(picture).__name__}; give a path, PIL picture, array")


def _no_file(path: Path) -> InputError:
    if path.exists():
        return InputError(f"{path} is no file; name a picture")
    return MissingFileError(f"no file {path}; check the name")


def enlarge_file(
    source: str | Path,
    target: str | Path,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Done:
    """Enlarge a file to another; profile, metadata and dpi are kept.

    Args:
        source: the path of a PNG, JPEG, WebP, TIFF, GIF, AVIF, BMP, PPM, TGA or JPEG 2000 file; of
            HEIC with the extra [heic].
        target: the path of the result; its suffix chooses the format. An older file is replaced
            once the new one is complete; a link is replaced itself, not the file it points to.
        settings: size, model and the like; by default four times with the default model.
        progress: is called with (tiles done, tiles in all).

    Returns:
        The result's size, and notes on what differs from the input.

    Raises:
        InputError: source is missing, unreadable, or too large; or an argument has an unsupported
            value.
        OutputError: target is source, or cannot be written; source and older files stay.
        ModelError: there are no such weights, or they are damaged.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> import clearzoom
        >>> from PIL import Image
        >>> with TemporaryDirectory() as folder:
        ...     small, large = Path(folder, "small.png"), Path(folder, "large.tif")
        ...     Image.new("L", (6, 4)).save(small)
        ...     settings = clearzoom.Settings(clearzoom.Wanted(width_px=21), model="fast")
        ...     done = clearzoom.enlarge_file(small, large, settings)
        ...     (done.width_px, done.height_px), large.is_file()
        ((21, 14), True)
    """
    read, written = checked_path(source, "source"), checked_path(target, "target")
    if settings is not None and not isinstance(settings, Settings):
        raise InputError(f"settings should be clearzoom.Settings, not a {type(settings).__name__}")
    if progress is not None and not callable(progress):
        raise InputError(f"progress should be a function, not a {type(progress).__name__}")
    return run_job(plan_job(read, written, settings or Settings()), progress)


def _enlarger(settings: Settings) -> Larger:
    """Plan as for a file: networks after one another, and one resampling to the exact size."""

    def larger(samples: Samples, channels: Channels, coding: float = 0.0) -> Samples:
        size = samples.shape[1], samples.shape[0]
        plan = make_plan(size, settings.wanted, scales_for(settings.model))
        appraisal = cache(partial(appraise_samples, samples, channels, coding))
        networks = chain_of(resolved(settings, plan.stages, appraisal), plan.stages)
        result = run_stages(samples, networks, channels)
        if plan.enlarged_px == plan.result_px:
            return result
        image = finished_image(result, plan, whole_result(plan), cmyk=channels.colours == 4)
        return cast(Samples, image.numpy().reshape(*plan.result_px[::-1], samples.shape[2]))

    return larger


def _enlarge_array(
    array: npt.NDArray[Any], larger: Larger, coding: float = 0.0
) -> npt.NDArray[Any]:
    if isinstance(array, np.ma.MaskedArray):
        raise InputError("a masked array has px without a level; fill them first")
    array = np.asarray(array)  # a matrix could not have a third axis
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4)):
        raise InputError(f"an array of shape {array.shape} is no picture; give (H, W) or (H, W, C)")
    samples = array if array.ndim == 3 else array[..., None]
    channels = Channels(colours_of(samples.shape[2], cmyk=False))
    native = array.dtype.newbyteorder("=")
    if native in (np.uint8, np.uint16):
        result: npt.NDArray[Any] = larger(samples.astype(native, copy=False), channels, coding)
    elif np.issubdtype(array.dtype, np.floating):
        if not (np.min(array, initial=0) >= 0 and np.max(array, initial=0) <= 1):
            raise InputError("a float picture must lie in 0..1, without NaN")
        deep = np.round(samples.astype(np.float64) * 65535.0).astype(np.uint16)
        result = larger(deep, channels) / 65535.0
    else:
        raise InputError(f"cannot enlarge {array.dtype} samples; give uint8, uint16 or float")
    result = result.astype(array.dtype, copy=False)
    return result if array.ndim == 3 else result[..., 0]


def _enlarge_pil(picture: Any, larger: Larger) -> Any:
    from PIL import Image, ImageOps

    coding = levels_of_tables(getattr(picture, "quantization", None) or {})  # of an opened JPEG
    try:
        picture.load()
        upright = ImageOps.exif_transpose(picture)
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes of them
        raise UnreadablePictureError(f"Pillow cannot decode this picture: {error}") from error
    plain = upright
    if "transparency" in upright.info or upright.mode in ("PA", "RGBa"):
        plain = upright.convert("RGBA")
    elif upright.mode in ("1", "La"):
        plain = upright.convert("L" if upright.mode == "1" else "LA")
    elif upright.mode in ("P", "YCbCr", "LAB", "HSV", "RGBX"):
        plain = upright.convert("RGB")
    if plain.mode == "CMYK":
        result = Image.fromarray(larger(np.asarray(plain), Channels(4), coding), "CMYK")
    elif plain.mode in ("L", "LA", "RGB", "RGBA", "I;16"):
        result = Image.fromarray(_enlarge_array(np.asarray(plain), larger, coding))
    else:
        raise InputError(f"cannot enlarge a PIL picture of mode {picture.mode}; convert it to RGB")
    # A profile describes the numbers of its own colour model only.
    kept = ("dpi", "icc_profile") if upright.mode != "LAB" else ("dpi",)
    result.info |= {key: picture.info[key] for key in kept if key in picture.info}
    return result
