"""What a PNG says in chunks that no other format, and no writer here, has a place for."""

from pathlib import Path

from clearzoom.io.png import kinds_of_chunks

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
# Read elsewhere, of the coding, or how a viewer may show it where it has no better way.
_ELSEWHERE = (
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"pHYs", b"eXIf", b"caBX", b"exIf"),
    *(b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"tEXt", b"zTXt", b"iTXt"),
    *(b"acTL", b"fcTL", b"fdAT", b"iDOT"),
    *(b"bKGD", b"hIST", b"sBIT", b"gIFg", b"gIFt", b"gIFx"),
)


def dropped_chunks(path: Path) -> list[str]:
    """Name what does not come along.

    Args:
        path: any picture; of another than PNG nothing is read.

    Returns:
        A line, or nothing.
    """
    lost = dict.fromkeys(kind for kind in kinds_of_chunks(path) if kind not in _ELSEWHERE)
    plain = [kind.decode("latin-1") for kind in lost if kind.isalpha() and kind.isascii()]
    named = (_NAMES.get(name.encode(), "chunk") for name in plain)
    said = [f"{name} ({kind})" for name, kind in zip(named, plain, strict=True)]
    return [f"not kept of the PNG: {', '.join(said)}"] if said else []
