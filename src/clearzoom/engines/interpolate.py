"""Network interpolation: weights between those of two ONNX files of one network.

Only what is needed is read of ONNX's protobuf: where in the file each tensor's bytes lie. The mixed
file has everything else from the second.

References:
    Wang et al., "ESRGAN", arXiv:1809.00219, section 3.4; onnx.proto3 for the field numbers.
"""

from collections.abc import Iterator

import numpy as np

from clearzoom.errors import WeightsError

_GRAPH, _INITIALIZER = 7, 5  # of ModelProto and GraphProto
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9  # of TensorProto
_FLOAT = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def mixed_model(first: bytes, second: bytes, strength: float) -> bytes:
    """Mix the float tensors of two ONNX files: (1 - strength) * first + strength * second.

    Args:
        first: of the network at strength 0.
        second: at strength 1; nodes and notes are its own.
        strength: 0 to 1.

    Raises:
        WeightsError: the two are not of one network, or no ONNX.
    """
    ours, theirs = dict(_float_tensors(second)), dict(_float_tensors(first))
    if not ours or ours.keys() != theirs.keys():
        raise WeightsError("these two files are not of one network: their tensors differ")
    mixed = bytearray(second)
    for tensor, (start, end) in ours.items():
        begin, stop = theirs[tensor]
        a, b = (np.frombuffer(x, "<f4") for x in (first[begin:stop], second[start:end]))
        mixed[start:end] = (a + np.float32(strength) * (b - a)).astype("<f4").tobytes()
    return bytes(mixed)


def _float_tensors(model: bytes) -> Iterator[tuple[tuple[str, bytes], tuple[int, int]]]:
    """Name and shape of each, and where its bytes lie."""
    for number, graph in _fields(model, (0, len(model))):
        for inner, tensor in _fields(model, graph) if number == _GRAPH else ():
            if inner != _INITIALIZER:
                continue
            parts: dict[int, list[tuple[int, int]]] = {}
            for part, where in _fields(model, tensor):
                parts.setdefault(part, []).append(where)
            kind = _varint(model, parts[_DATA_TYPE][0][0])[0] if _DATA_TYPE in parts else 0
            if kind == _FLOAT and _RAW_DATA in parts:
                name = b"".join(model[a:b] for a, b in parts.get(_NAME, [])).decode(
                    "utf-8", "replace"
                )
                shape = b",".join(model[a:b] for a, b in parts.get(_DIMS, []))
                start, end = parts[_RAW_DATA][0]
                if (end - start) % 4:
                    raise WeightsError("this file is damaged: a tensor ends within a number")
                yield (f"{name} {end - start}", shape), (start, end)


def _fields(model: bytes, where: tuple[int, int]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Number of each field in a message, and where its content lies."""
    at, end = where
    while at < end:
        key, at = _varint(model, at)
        kind = key & 7
        if kind == _VARINT:
            stop = _varint(model, at)[1]
        elif kind == _BYTES:
            length, at = _varint(model, at)
            stop = at + length
        elif kind in (_FIXED32, _FIXED64):
            stop = at + (4 if kind == _FIXED32 else 8)
        else:
            raise WeightsError("this file is damaged or no ONNX file")
        if stop > end:
            raise WeightsError("this file is damaged or no ONNX file: a part ends beyond it")
        yield key >> 3, (at, stop)
        at = stop


def _varint(model: bytes, at: int) -> tuple[int, int]:
    """A number and where the next part begins."""
    value = shift = 0
    while at < len(model) and shift < 70:
        byte = model[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise WeightsError("this file is damaged or no ONNX file: a number does not end")
