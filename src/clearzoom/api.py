"""The Python call: ``clearzoom.enlarge``."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, cast, overload

from clearzoom.checked import checked_path
from clearzoom.core.consistency import Consistency
from clearzoom.core.targets import Print
from clearzoom.engines import Device, Engine, Precision
from clearzoom.engines.tiled import Progress
from clearzoom.enlarger import BinaryFile, PictureT
from clearzoom.errors import InputError
from clearzoom.io.background import Background
from clearzoom.io.formats import ResultFormat
from clearzoom.io.reading import DEFAULT_MAX_PIXELS
from clearzoom.io.tiff_compressions import TiffCompression
from clearzoom.pipeline.any_picture import Tell, enlarge_any
from clearzoom.pipeline.fields import WrapChoice
from clearzoom.pipeline.forked import check_not_forked
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.options import settings_of
from clearzoom.pipeline.progress import check_calls, check_not_cancelled, stopping
from clearzoom.pipeline.run import Done, run_job
from clearzoom.pipeline.settings import Settings
from clearzoom.weights import DEFAULT_MODEL

Options = ParamSpec("Options")


class _SameKind(Protocol[Options]):
    """A call whose result is of its picture's type, with the same options for each type."""

    @overload
    def __call__(
        self, picture: PictureT, /, *args: Options.args, **options: Options.kwargs
    ) -> PictureT: ...
    @overload
    def __call__(
        self, picture: BinaryFile, /, *args: Options.args, **options: Options.kwargs
    ) -> bytes: ...
    @overload
    def __call__(
        self,
        picture: list[PictureT] | tuple[PictureT, ...],
        /,
        *args: Options.args,
        **options: Options.kwargs,
    ) -> list[PictureT]: ...
    @overload
    def __call__(
        self,
        picture: list[BinaryFile] | tuple[BinaryFile, ...],
        /,
        *args: Options.args,
        **options: Options.kwargs,
    ) -> list[bytes]: ...


def _same_kind(function: Callable[Concatenate[Any, Options], Any]) -> _SameKind[Options]:
    """State to type checkers that a picture's kind is that of its result."""
    return cast(_SameKind[Options], function)


@_same_kind
def enlarge(
    picture: Any,
    scale: float | None = None,
    model: str = DEFAULT_MODEL,
    *,
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
    output: str | Path | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    notes: Tell | None = None,
) -> Any:
    """Enlarge a picture; the same kind of thing comes back.

    Args:
        picture: one of these, or a list or tuple of them.

            - A path, as str or Path.
            - An encoded picture, as bytes, or as a file that is open in binary mode, which is read
              from where it stands.
            - A PIL picture. It is turned upright, as its EXIF states.
            - An array: (H, W) grey, (H, W, C), or a batch (N, H, W, C). C is 1 grey, 2 grey and
              alpha, 3 RGB, 4 RGB and alpha, which is straight. Three axes are always one picture
              (H, W, C): give grey pictures as (N, H, W, 1). The dtype is uint8, uint16 of either
              byte order, or float in 0..1. A matrix counts as an array of two axes.
        scale: how many times wider and higher; 4 if no other size is given. Networks are chosen and
            chained, and one resampling ends at the exact size.
        model: the name of a released model or of your own, or the path of an ONNX file that
            ``clearzoom export`` wrote.
        width: of the result in px.
        height: of the result in px; with width, a box to fit into.
        long_edge: the longer side of the result in px.
        megapixels: the area of the result in millions of px.
        print_size: a text like ``60x70cm@300dpi``, or a ``Print``. It sets the dpi.
        fill: whether the box or print is filled, and what is over is cut.
        bleed: a text like ``3mm``: what is added around a print size that is a text.
        strength: how much of a perceptual model is used, 0 to 1; at 0 ``photo-crisp`` is ``photo``.
        engine: what runs the network; ``auto`` takes the fastest that is installed.
        precision: of the network's convolutions.
        device: where the network runs, like ``cpu``, ``cuda`` or ``openvino-gpu``; ``auto`` takes
            the fastest that is there.
        ensemble: whether to average over the eight symmetries of the square, which is better and
            takes 8 times as long.
        consistency: how much of the difference from the picture is given back: ``full``, what is
            beyond a number of levels of 255, ``tones`` or ``none``; ``auto`` chooses by the model
            and the picture.
        denoise: 0 keeps grain, 1 cleans badly spoilt pictures, for models with denoise levels;
            ``auto`` chooses by the picture.
        back_projection: the old name of consistency: true is ``full``, false ``none``.
        wrap: the axes along which the picture continues at its other side, as textures that tile
            do: ``x``, ``y``, ``both`` or ``none``; ``auto`` takes ``x`` for files that state a
            panorama of 360 degrees.
        pixel_art: whether to repeat px a whole number of times, and run no network.
        halo: px read around each tile, instead of all that the network sees.
        quality: of JPEG, WebP (100: lossless) and AVIF, 1 to 100.
        max_bytes: a limit of the file, as a number or like ``2MB``; the quality is lowered.
        tiff_compression: the compression of TIFF files.
        background: for files and bytes, the colour behind a picture with transparency, ``white`` or
            ``black``; with ``none`` it keeps its transparency.
        metadata: whether EXIF, XMP and IPTC are kept or stripped.
        memory: a limit of the process, as a number of bytes or like ``1GB``.
        max_pixels: larger pictures are refused.
        format: the format of encoded results, and of files whose name is chosen here.
        output: for paths, the result's path, or a folder to name it in: one that is there, any path
            that ends in a slash, and always for a list. It is made where it is missing. An older
            file of a path that you name is replaced, any other is not.
        progress: is called with (tiles done, tiles in all). All pictures of a list count the same.
            An exception that it raises ends the call.
        cancel: an event that ends the call after the running tile once it is set.
        notes: is called with each note, a sentence on what a result does not keep of its picture,
            or on what else is worth knowing; of a path or a list it says which picture. Without it,
            notes are warnings of the logger ``clearzoom``.

    Returns:
        For a path, the path of the new file, in the folder of the picture unless ``output`` says
        otherwise: NAME-x4.jpg for NAME.jpg, or like NAME-3000w.jpg where another size than a scale
        is given, and .png where the format is not written, like HEIC. For bytes, bytes of the
        same format; PNG, or WebP for animations, where it is not written. For an open file, bytes.
        For a PIL picture, one of the same mode, with its dpi, profile, comments and texts, and with
        EXIF and XMP that describe the result. But mode 1 becomes L, palettes, YCbCr, LAB, HSV and
        RGBX become RGB (or RGBA with transparency), and premultiplied modes become straight. For an
        array, one of the same dtype and number of axes. For a list or tuple, a list.

    Raises:
        InputError: the picture is missing, unreadable, or of an unsupported form; or an argument
            has an unsupported value.
        OutputError: the new file exists already or cannot be written.
        ModelError: there are no such weights, or they are damaged.
        CancelledError: ``cancel`` was set. Nothing half-written is left. The same call for a large
            file goes on where it stopped.

    Example:
        >>> import clearzoom
        >>> from PIL import Image
        >>> picture = Image.new("RGB", (6, 4), "white")
        >>> larger = clearzoom.enlarge(picture, scale=2.5)
        >>> larger.size, larger.getpixel((7, 5))
        ((15, 10), (255, 255, 255))
        >>> first, second = clearzoom.enlarge([picture, picture], width=30)
        >>> second.size
        (30, 20)
    """
    settings = settings_of(
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
    return enlarge_any(picture, settings, output, progress, cancel, notes)


def enlarge_file(
    source: str | Path,
    target: str | Path,
    settings: Settings | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Done:
    """Enlarge a file to another; profile, metadata and dpi are kept.

    Args:
        source: the path of a PNG, JPEG, WebP, TIFF, GIF, AVIF, BMP, PPM, TGA or JPEG 2000 file; of
            HEIC with the extra [heic].
        target: the path of the result; its suffix chooses the format. An older file is replaced
            once the new one is complete; a link is replaced itself, not the file it points to.
        settings: size, model and the like; by default four times with the default model.
        progress: is called with (tiles done, tiles in all).
        cancel: an event that ends the call after the running tile once it is set.

    Returns:
        The result's size, and notes on what differs from the input.

    Raises:
        InputError: source is missing, unreadable, or too large; or an argument has an unsupported
            value.
        OutputError: target is source, or cannot be written; source and older files stay.
        ModelError: there are no such weights, or they are damaged.
        CancelledError: ``cancel`` was set; the same call for a large file goes on where it stopped.

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
    check_calls(progress, cancel)
    check_not_cancelled(cancel)
    check_not_forked()
    return run_job(plan_job(read, written, settings or Settings()), stopping(progress, cancel))
