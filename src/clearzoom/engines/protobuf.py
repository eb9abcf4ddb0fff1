"""As much of protobuf, and of ONNX, as is needed to change bytes of a file in place.

References:
    onnx.proto3 for the field numbers.
"""

from collections.abc import Iterator

from clearzoom.errors import WeightsError

GRAPH = 7  # of ModelProto
_INPUT, _OUTPUT = 11, 12  # of GraphProto
_TYPE, _TENSOR_TYPE, _SHAPE, _DIM = 2, 1, 2, 1  # of ValueInfoProto, TypeProto, and so on
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ONE, _ANY = b"\x08\x01", b"\x12\x00"  # of Dimension: a value of 1, and a name that is empty


def without_batch_size(model: bytes) -> bytes:
    """Make an ONNX file that states a batch of one take batches of any size.

    Only what is stated of input and output is changed: whether the network can do it is for a run
    to show.

    Args:
        model: the file.

    Raises:
        WeightsError: it is damaged.
    """
    freed = bytearray(model)
    for number, graph in fields(model, (0, len(model))):
        for inner, value in fields(model, graph) if number == GRAPH else ():
            if inner in (_INPUT, _OUTPUT):
                for start, end in _first_dims(model, value):
                    if model[start:end] == _ONE:
                        freed[start:end] = _ANY
    return bytes(freed)


def _first_dims(model: bytes, value: tuple[int, int]) -> Iterator[tuple[int, int]]:
    messages = [value]
    for wanted in (_TYPE, _TENSOR_TYPE, _SHAPE):
        messages = [
            where for each in messages for number, where in fields(model, each) if number == wanted
        ]
    for shape in messages:
        yield from [where for number, where in fields(model, shape) if number == _DIM][:1]


def fields(model: bytes, where: tuple[int, int]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Give the number of each field in a message, and where its content lies.

    Args:
        model: the whole file.
        where: the message's first byte, and the first after it.

    Raises:
        WeightsError: the file is damaged.
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
    """Give a number, and where the next part begins.

    Raises:
        WeightsError: the file is damaged.
    """
    value = shift = 0
    while at < len(model) and shift < 70:
        byte = model[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise WeightsError("this file is damaged or no ONNX file: a number does not end")
