"""Files that are no picture for this program, recognised by their first bytes, and what to do."""

_RAW = "is a camera's raw file; develop it, and save it as TIFF or PNG"
_FILM = "is a film; save the frames to enlarge as pictures"

_PAINTING = "is a document of {}, with layers; export it there as PNG or TIFF"

_STARTS = {
    b"\xff\x0a": "is JPEG XL, which is not supported; make a PNG of it, such as by libjxl's djxl",
    b"8BPS": "is a Photoshop document; save it as TIFF or PNG, without layers",
    b"gimp xcf": _PAINTING.format("GIMP"),
    b"CSFCHUNK": _PAINTING.format("Clip Studio Paint"),
    b"%PDF-": "is a PDF; save the picture in it, or the page, as TIFF or PNG",
    b"FUJIFILMCCD-RAW": _RAW,
    b"II\x1a\0\0\0HEAPCCDR": _RAW,  # CRW of Canon
    b"IIU\0": _RAW,  # RW2 of Panasonic and Leica
    b"IIRO": _RAW,  # ORF of Olympus, as the next two
    b"IIRS": _RAW,
    b"MMOR": _RAW,
    b"\0MRM": _RAW,  # MRW of Minolta
    b"FOVb": _RAW,  # X3F of Sigma
}
_STARTS[b"\0\0\0\x0cJXL \r\n\x87\n"] = _STARTS[b"\xff\x0a"]
_ZIPPED = {
    b"mimetypeapplication/x-krita": _PAINTING.format("Krita"),
    b"mimetypeimage/openraster": _PAINTING.format("Krita, MyPaint or GIMP"),
}
"""The first file in a zip archive, whose name and content follow 30 bytes of header."""

_DRAWING = "is a drawing of lines and shapes; export it as PNG, in px as large as you need"
_BRANDS = {b"crx ": _RAW} | dict.fromkeys(
    (b"isom", b"iso2", b"avc1", b"mp41", b"mp42", b"M4V ", b"qt  ", b"3gp4", b"3gp5"), _FILM
)


def known_file(start: bytes) -> str | None:
    r"""Say what a file is that cannot be read as a picture, and what to do.

    Args:
        start: the file's first 64 bytes or more, or all that it has.

    Returns:
        The end of a sentence that begins with the file's name; None for an unknown file.

    Example:
        >>> known_file(b"8BPS" + bytes(12))
        'is a Photoshop document; save it as TIFF or PNG, without layers'
        >>> known_file(b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/x-krita")
        'is a document of Krita, with layers; export it there as PNG or TIFF'
        >>> known_file(b"Dear reader, this")
    """
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12])
    if start.startswith(b"PK\x03\x04"):
        return next((words for name, words in _ZIPPED.items() if start[30:].startswith(name)), None)
    if start.lstrip().startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return _DRAWING
    return next((words for begin, words in _STARTS.items() if start.startswith(begin)), None)
