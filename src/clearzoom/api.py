"""The Python call: ``clearzoom.enlarge``."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from clearzoom.batch.job import Done, plan_job, run_job
from clearzoom.batch.settings import Settings
from clearzoom.core.targets import Wanted
from clearzoom.engines.network import Network, load_network
from clearzoom.engines.refine import refined
from clearzoom.engines.tiled import Progress, enlarge_samples
from clearzoom.errors import InputError, OutputError
from clearzoom.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    from PIL import Image

_load = lru_cache(maxsize=4)(load_network)

PictureT = TypeVar("PictureT", bound="str | Path | npt.NDArray[Any] | Image.Image")


def enlarge(
    picture: PictureT,
    scale: int = 4,
    model: str = DEFAULT_MODEL,
    *,
    ensemble: bool = False,
    back_projection: bool = True,
) -> PictureT:
    """Enlarge a picture; the same kind of thing comes back.

    Args:
        picture: a path, a PIL picture, or an array (H, W) or (H, W, C) with C = 1 grey, 2 grey and
            alpha, 3 RGB, 4 RGB and alpha, straight alpha; uint8, uint16, or float in 0..1.
        scale: 2, 3 or 4, as far as there are weights.
        model: a released model's name, or an ONNX file that ``clearzoom export`` wrote.
        ensemble: average over the eight symmetries of the square; better and 8 times slower.
        back_projection: make the result, reduced again, the picture that was given.

    Returns:
        For a path the path of the new file beside it, NAME-x4.png for NAME.png; for a PIL picture
        one of the same mode (a palette becomes RGB or RGBA); for an array one of the same dtype
        and number of axes.

    Raises:
        InputError: missing, unreadable, or of a form that is not understood.
        OutputError: the new file exists already or cannot be written.
        ModelError: no such weights, or damaged.

    Example:
        >>> import numpy as np, clearzoom
        >>> clearzoom.enlarge(np.zeros((4, 6, 3), np.uint8), scale=4).shape
        (16, 24, 3)
    """
    if isinstance(picture, str | Path):
        source = Path(picture)
        target = source.with_name(f"{source.stem}-x{scale}{source.suffix}")
        if target.exists():
            raise OutputError(f"{target} exists; take it away, or use enlarge_file")
        settings = Settings(
            Wanted(scale), model, ensemble=ensemble, back_projection=back_projection
        )
        enlarge_file(source, target, settings)
        return cast(PictureT, type(picture)(target))
    network = refined(_load(model, scale), ensemble=ensemble, back_projection=back_projection)
    if isinstance(picture, np.ndarray):
        return cast(PictureT, _enlarge_array(picture, network))
    if hasattr(picture, "getbands"):
        return cast(PictureT, _enlarge_pil(picture, network))
    raise InputError(f"cannot enlarge a {type(picture).__name__}; give a path, PIL picture, array")


def enlarge_file(
    source: Path,
    target: Path,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Done:
    """Enlarge a file to another; profile, metadata and dpi are kept.

    Args:
        source: PNG, JPEG, WebP, TIFF, GIF or AVIF; HEIC with the extra [heic].
        target: the suffix chooses the format; an older file is replaced once the new one is whole.
        settings: size, model and the like; by default four times with the default model.
        progress: is called with (tiles done, tiles in all).

    Returns:
        The result's size, and notes on what is not as it was.

    Raises:
        InputError: source is missing, unreadable, or too large.
        OutputError: target is source, or cannot be written; source and older files stay.
        ModelError: no such weights, or damaged.
    """
    return run_job(plan_job(source, target, settings or Settings()), progress)


def _enlarge_array(array: npt.NDArray[Any], network: Network) -> npt.NDArray[Any]:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4)):
        raise InputError(f"an array of shape {array.shape} is no picture; give (H, W) or (H, W, C)")
    samples = array if array.ndim == 3 else array[..., None]
    if array.dtype in (np.uint8, np.uint16):
        larger: npt.NDArray[Any] = enlarge_samples(samples, network)
    elif np.issubdtype(array.dtype, np.floating):
        if not (np.min(array, initial=0) >= 0 and np.max(array, initial=0) <= 1):
            raise InputError("a float picture must lie in 0..1, without NaN")
        deep = np.round(samples.astype(np.float64) * 65535.0).astype(np.uint16)
        larger = (enlarge_samples(deep, network) / 65535.0).astype(array.dtype)
    else:
        raise InputError(f"cannot enlarge {array.dtype} samples; give uint8, uint16 or float")
    return larger if array.ndim == 3 else larger[..., 0]


def _enlarge_pil(picture: Any, network: Network) -> Any:
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(picture)
    plain = upright
    if "transparency" in upright.info or upright.mode in ("PA", "RGBa"):
        plain = upright.convert("RGBA")
    elif upright.mode in ("1", "La"):
        plain = upright.convert("L" if upright.mode == "1" else "LA")
    elif upright.mode in ("P", "CMYK", "YCbCr", "LAB", "HSV", "RGBX"):
        plain = upright.convert("RGB")
    if plain.mode not in ("L", "LA", "RGB", "RGBA", "I;16"):
        raise InputError(f"cannot enlarge a PIL picture of mode {picture.mode}; convert it to RGB")
    result = Image.fromarray(_enlarge_array(np.asarray(plain), network))
    # A profile describes the numbers of its own colour model only.
    kept = ("dpi", "icc_profile") if upright.mode not in ("CMYK", "LAB") else ("dpi",)
    result.info |= {key: picture.info[key] for key in kept if key in picture.info}
    return result
