"""What a JPEG says of its coding, before it is decoded."""

from pathlib import Path

_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_JPEG_LS = 0xF7
_ALONE = {0x01, *range(0xD0, 0xD9)}
_MOST_SEGMENTS = 100_000
_NAMES = {0xCB: "lossless arithmetic"} | dict.fromkeys(
    (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical"
)


def unsupported_coding(path: Path) -> str | None:
    """Name a coding that no decoder here knows; None: it is another, or the file is damaged.

    Args:
        path: a JPEG, or what begins like one.

    References:
        ITU-T T.81, table B.1 and B.2.2; T.87 for JPEG-LS.
    """
    with path.open("rb") as file:
        file.seek(2)
        for _ in range(_MOST_SEGMENTS):
            head = file.read(10)
            start = head.find(b"\xff")
            if len(head) < 10 or start < 0:
                return None
            marker = head[start + 1] if start < 9 else 0xFF
            if start or marker == 0xFF or marker in _ALONE:  # not where a segment begins
                file.seek((start or (1 if marker == 0xFF else 2)) - 10, 1)
                continue
            if marker in _FRAMES:
                return _named(marker, head[4])
            if marker in (0xDA, 0xD9):
                return None
            file.seek(int.from_bytes(head[2:4]) - 8, 1)
    return None


def _named(marker: int, bits: int) -> str | None:
    if marker == _JPEG_LS:
        return "JPEG-LS"
    if bits != 8:
        return f"JPEG with {bits}-bit samples"
    return f"JPEG in {_NAMES[marker]} coding" if marker in _NAMES else None
