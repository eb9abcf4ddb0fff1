"""The facts in the boxes and markers of a JPEG 2000 file that its decoder does not return.

References:
    ISO/IEC 15444-1, annex A (markers) and annex I (boxes).
"""

import struct
from dataclasses import dataclass, field
from typing import BinaryIO

_CODESTREAM = b"\xff\x4f\xff\x51"
_LONGEST_BOX = 16_000_000
_SRGB, _GREY, _SYCC = 16, 17, 18
_OPACITY = 1
_NO_ALPHA = (
    "has an extra channel, and does not say that it is transparency; save it without the channel, "
    "or as TIFF"
)


@dataclass
class Jp2:
    """The facts about a JPEG 2000 file.

    ``size`` is the width and height in px that the codestream states, and ``bits`` the depth of a
    channel. ``reversible`` means that it may be lossless. ``refusal`` is the reason why the file
    cannot be read, or empty.
    """

    icc_profile: bytes | None = None
    size: tuple[int, int] = (0, 0)
    channels: int = 0
    bits: int = 8
    reversible: bool = False
    refusal: str = ""
    notes: list[str] = field(default_factory=list)


def read_jp2(file: BinaryIO) -> Jp2:
    """Read the boxes and markers before the px of a JPEG 2000 file or codestream.

    Args:
        file: the file; it is read from its beginning.

    Raises:
        ValueError: the file is damaged.
        struct.error: the file is damaged.
    """
    facts = Jp2()
    file.seek(0)
    plain = file.read(4) == _CODESTREAM
    file.seek(0)
    opacity, unread = False, False
    end = file.seek(0, 2)
    at = 0
    while not plain and at + 8 <= end:
        kind, start, stop = _box(file, at, end)
        if kind == b"jp2h":
            opacity = _read_header(file, start, stop, facts)
        elif kind == b"jp2c":
            file.seek(start)
            _read_codestream(file, facts)
        unread = unread or kind in (b"uuid", b"xml ")
        at = stop
    if plain:
        file.seek(0)
        _read_codestream(file, facts)
    if not facts.channels:
        raise ValueError("it holds no picture")
    if facts.channels in (2, 4) and not opacity and not facts.refusal:
        facts.refusal = _NO_ALPHA
    if facts.bits > 8 and facts.channels > 1:
        facts.notes.append(f"JPEG 2000 with {facts.bits} bit is read with 8")
    if unread:
        facts.notes.append("metadata of JPEG 2000 is not read")
    return facts


def _box(file: BinaryIO, at: int, end: int) -> tuple[bytes, int, int]:
    file.seek(at)
    length, kind = struct.unpack(">I4s", file.read(8))
    start = at + 8
    if length == 1:
        (length,) = struct.unpack(">Q", file.read(8))
        start += 8
    stop = end if length == 0 else at + length
    if not start <= stop <= end:
        raise ValueError(f"the box {kind!r} ends too early")
    return kind, start, stop


def _read_header(file: BinaryIO, at: int, end: int, facts: Jp2) -> bool:
    """Read the boxes in the header; return whether they declare the last channel as opacity."""
    opacity, coloured = False, False
    while at + 8 <= end:
        kind, start, stop = _box(file, at, end)
        file.seek(start)
        content = file.read(min(stop - start, _LONGEST_BOX)) if kind != b"jp2c" else b""
        if kind == b"colr" and not coloured and len(content) >= 3:
            coloured = True
            if content[0] == 1:
                (space,) = struct.unpack_from(">I", content, 3)
                if space not in (_SRGB, _GREY, _SYCC):
                    facts.refusal = (
                        f"has colours of JPEG 2000's space {space}, which is not supported; "
                        "save it as RGB"
                    )
            else:
                facts.icc_profile = content[3:]
        elif kind == b"cdef":
            (count,) = struct.unpack_from(">H", content)
            means = [struct.unpack_from(">HHH", content, 2 + 6 * i)[1] for i in range(count)]
            opacity = means[-1:] == [_OPACITY] and not any(means[:-1])
        elif kind == b"pclr":
            opacity = True  # The decoder applies a palette, and knows its channels.
        at = stop
    return opacity


def _read_codestream(file: BinaryIO, facts: Jp2) -> None:
    """Read the markers for size (SIZ) and coding (COD)."""
    file.seek(4, 1)
    (length,) = struct.unpack(">H", file.read(2))
    size = file.read(length - 2)
    right, bottom, left, top = struct.unpack_from(">IIII", size, 2)
    facts.size = (right - left, bottom - top)
    (facts.channels,) = struct.unpack_from(">H", size, 34)
    facts.bits = max((each & 0x7F) + 1 for each in size[36::3])
    while len(marker := file.read(4)) == 4:
        kind, length = struct.unpack(">HH", marker)
        content = file.read(max(0, length - 2))
        if kind == 0xFF52:  # COD: the tenth byte names the wavelet, 1 is reversible (A.6.1).
            facts.reversible = content[9] == 1
            return
        if kind in (0xFF90, 0xFFD9):
            return
