"""Read the fields of an ONNX file's protobuf messages, and the place of their bytes."""

from collections.abc import Iterator

from clearzoom.errors import WeightsError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def fields(model: bytes, where: tuple[int, int]) -> Iterator[tuple[int, tuple[int, int]]]:
    """List the number of each field in a message, and the place of its content.

    Args:
        model: the content of the file.
        where: the first byte of the message, and the byte behind its last.

    Raises:
        WeightsError: a field ends beyond the message, or has an unknown wire type.
    """
    at, end = where
    while at < end:
        key, at = varint(model, at)
        kind = key & 7
        if kind == _VARINT:
            stop = varint(model, at)[1]
        elif kind == _BYTES:
            length, at = varint(model, at)
            stop = at + length
        elif kind in (_FIXED32, _FIXED64):
            stop = at + (4 if kind == _FIXED32 else 8)
        else:
            raise WeightsError("this file is damaged or no ONNX file")
        if stop > end:
            raise WeightsError("this file is damaged or no ONNX file: a part ends beyond it")
        yield key >> 3, (at, stop)
        at = stop


def varint(model: bytes, at: int) -> tuple[int, int]:
    """Read a variable-length number; return it and the place of the next byte.

    Raises:
        WeightsError: the number does not end.
    """
    value = shift = 0
    while at < len(model) and shift < 70:
        byte = model[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise WeightsError("this file is damaged or no ONNX file: a number does not end")
