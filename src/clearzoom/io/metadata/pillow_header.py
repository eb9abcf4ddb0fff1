"""Open a picture file for its metadata alone, however large the picture is."""

from importlib import import_module
from pathlib import Path
from typing import cast

from PIL import Image, ImageFile, UnidentifiedImageError

_KNOWN = {
    "JPEG": "JpegImagePlugin",
    "PNG": "PngImagePlugin",
    "TIFF": "TiffImagePlugin",
    "WEBP": "WebPImagePlugin",
    "GIF": "GifImagePlugin",
    "HEIF": "",  # comes with the extra [heic], where that is installed
    "AVIF": "AvifImagePlugin",
}


def opened(path: Path) -> ImageFile.ImageFile:
    """Open a file with Pillow, without its limit on px: none of them are decoded.

    Args:
        path: a picture. Of a file with several JPEGs the first is opened.

    Raises:
        UnidentifiedImageError: it is of none of the formats that are read here.
    """
    from PIL.JpegImagePlugin import JpegImageFile

    with path.open("rb") as file:
        start = file.read(16)
    for name, plugin in _KNOWN.items():
        if plugin:
            import_module(f"PIL.{plugin}")  # Pillow itself imports them late
        factory, accepts = Image.OPEN.get(name, (None, None))
        if accepts is None or accepts(start) is not True:
            continue
        try:
            # What Pillow has for JPEG is a function, which looks for further pictures.
            reader = JpegImageFile if name == "JPEG" else factory
            return cast(type[ImageFile.ImageFile], reader)(path)
        except (SyntaxError, IndexError, TypeError):
            continue
    raise UnidentifiedImageError(f"cannot identify {path}")
