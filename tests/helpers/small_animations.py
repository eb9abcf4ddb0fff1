"""GIF and APNG byte by byte, with every freedom that the formats have and encoders do not use."""

import struct
import zlib

import numpy as np

PALETTE = ((0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))


def flat(height, width, value):
    """Px of one value: a number of the palette, or a tuple of samples."""
    return np.broadcast_to(np.array(value, np.uint8), (height, width, *np.shape(value)))


def gif(screen, *frames, loop=None, end=b";", palette=PALETTE):
    """A GIF of frames: dicts of ``px`` (numbers), and what else is said of them."""
    colours = [*palette, *[(9, 9, 9)] * (128 - len(palette))]
    parts = [b"GIF89a", struct.pack("<HHBBB", *screen, 0xF6, 4, 0), bytes(sum(colours, ()))]
    if loop is not None:
        parts.append(b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loop) + b"\0")
    for frame in frames:
        px = np.asarray(frame["px"], np.uint8)
        clear = frame.get("clear")
        packed = frame.get("disposal", 0) << 2 | (clear is not None)
        hundredths = frame.get("hundredths", 10)
        if hundredths is not None:
            control = struct.pack("<BHB", packed, hundredths, clear or 0)
            parts.append(b"\x21\xf9\x04" + control + b"\0")
        flags = 0x40 if frame.get("interlaced") else 0
        size = px.shape[::-1]
        parts.append(b"," + struct.pack("<HHHHB", *frame.get("at", (0, 0)), *size, flags))
        if flags:
            px = np.concatenate([px[0::8], px[4::8], px[2::4], px[1::2]])
        parts.append(_lzw(px.ravel().tolist()[: frame.get("stored")]))
    return b"".join([*parts, end])


def _lzw(numbers):
    """LZW that never uses what it learns: 8 bits a px, cleared before codes would grow."""
    codes = []
    for start in range(0, len(numbers), 126):
        codes += [128, *numbers[start : start + 126]]
    packed = bytes([*codes, 129])
    blocks = [packed[at : at + 255] for at in range(0, len(packed), 255)]
    return b"\7" + b"".join(bytes([len(each)]) + each for each in blocks) + b"\0"


def chunk(kind, data):
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def apng(canvas, *frames, before=None, plays=0, colour=6, depth=8, stated=None, extra=b""):
    """An APNG of frames: dicts of ``px`` (samples), and what else is said of them.

    ``before``: px of a picture for programs without animations.
    """
    head = struct.pack(">II5B", *canvas, depth, colour, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), extra]
    parts.append(
        chunk(b"acTL", struct.pack(">II", len(frames) if stated is None else stated, plays))
    )
    if before is not None:
        parts.append(chunk(b"IDAT", _packed(before)))
    number = 0
    for index, frame in enumerate(frames):
        height, width = frame["px"].shape[:2]
        what = (frame.get("num", 1), frame.get("den", 10))
        what += (frame.get("disposal", 0), frame.get("blend", 0))
        place = (width, height, *frame.get("at", (0, 0)))
        parts.append(chunk(b"fcTL", struct.pack(">5I2H2B", number, *place, *what)))
        number += 1
        if index == 0 and before is None:
            parts.append(chunk(b"IDAT", _packed(frame["px"])))
        else:
            parts.append(chunk(b"fdAT", struct.pack(">I", number) + _packed(frame["px"])))
            number += 1
    return b"".join([*parts, chunk(b"IEND", b"")])


def _packed(px):
    samples = np.asarray(px)
    samples = samples.astype(">u2") if samples.dtype == np.uint16 else samples.astype(np.uint8)
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in samples))
