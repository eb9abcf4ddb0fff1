"""Open a picture with Pillow for its metadata only, whatever its size."""

from contextlib import suppress
from importlib import import_module
from typing import cast

from PIL import Image, ImageFile, UnidentifiedImageError

from clearzoom.io.picture_file import PictureFile

_PLUGINS = {
    "JPEG": "JpegImagePlugin",
    "TIFF": "TiffImagePlugin",
    "WEBP": "WebPImagePlugin",
    "GIF": "GifImagePlugin",
    "HEIF": "",  # ``pillow_heif`` registers it.
    "AVIF": "AvifImagePlugin",
}


def open_header(file: PictureFile) -> ImageFile.ImageFile:
    """Open a file with Pillow without Pillow's limit on px, since no px are decoded.

    Args:
        file: a picture other than PNG. In a file with several JPEGs, the first is opened.

    Raises:
        UnidentifiedImageError: the file has none of these formats.
    """
    from PIL.JpegImagePlugin import JpegImageFile

    if file.start[4:8] == b"ftyp" and b"avif" not in file.start:
        with suppress(ImportError):
            import pillow_heif

            pillow_heif.register_heif_opener()
    for name, plugin in _PLUGINS.items():
        if plugin:
            import_module(f"PIL.{plugin}")  # Pillow imports its plugins only when needed.
        factory, accepts = Image.OPEN.get(name, (None, None))
        if accepts is None or accepts(file.start[:16]) is not True:
            continue
        try:
            # Pillow's factory for JPEG is a function that searches for further pictures.
            reader = JpegImageFile if name == "JPEG" else factory
            file.file.seek(0)
            return cast(type[ImageFile.ImageFile], reader)(file.file, str(file.path))
        except (SyntaxError, IndexError, TypeError):
            continue
    raise UnidentifiedImageError(f"cannot identify {file.path}")
