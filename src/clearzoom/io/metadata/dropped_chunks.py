"""The chunks of a PNG that no other format, and no writer here, has a place for."""

from clearzoom.io.metadata.png_chunks import PngChunks

_NAMES = {
    b"cLLI": "how bright it is at most",
    b"cLLi": "how bright it is at most",
    b"dSIG": "its signature",
    b"fRAc": "the fractal that it shows",
    b"mDCV": "the screen that it was made on",
    b"mDCv": "the screen that it was made on",
    b"oFFs": "its place on a page",
    b"pCAL": "what its levels measure",
    b"sCAL": "the scale of what it shows",
    b"sPLT": "its suggested palettes",
    b"sTER": "that it shows two eyes' views",
    b"tIME": "the time of its last change",
}
# Other modules read these, or they describe the encoding, or they are hints for simple viewers.
_NOT_NAMED = (
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"pHYs", b"eXIf", b"caBX", b"exIf"),
    *(b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"tEXt", b"zTXt", b"iTXt"),
    *(b"acTL", b"fcTL", b"fdAT", b"iDOT"),
    *(b"bKGD", b"hIST", b"sBIT", b"gIFg", b"gIFt", b"gIFx"),
)


def dropped_chunks(chunks: PngChunks) -> list[str]:
    """Name the chunks that a result does not have.

    Args:
        chunks: the chunks of the file.

    Returns:
        One line, or none if nothing is dropped.
    """
    dropped = dict.fromkeys(kind for kind in chunks.kinds if kind not in _NOT_NAMED)
    kinds = [kind.decode("latin-1") for kind in dropped if kind.isalpha() and kind.isascii()]
    names = [f"{_NAMES.get(kind.encode(), 'chunk')} ({kind})" for kind in kinds]
    return [f"not kept of the PNG: {', '.join(names)}"] if names else []
