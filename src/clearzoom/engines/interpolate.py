"""Network interpolation: mix the weights in two ONNX files of one network.

The mixed file takes its nodes and notes from the second file; only the float tensors are mixed.

References:
    Wang et al., "ESRGAN", arXiv:1809.00219, section 3.4; onnx.proto3 for the field numbers.
"""

from collections.abc import Iterator

import numpy as np

from clearzoom.engines.protobuf import fields, varint
from clearzoom.errors import WeightsError

_GRAPH, _INITIALIZER = 7, 5  # of ModelProto and GraphProto
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9  # of TensorProto
_FLOAT = 1


def mixed_model(first: bytes, second: bytes, strength: float) -> bytes:
    """Mix the float tensors of two ONNX files: (1 - strength) * first + strength * second.

    Args:
        first: the content of the file at strength 0.
        second: the content of the file at strength 1; nodes and notes come from it.
        strength: 0 to 1.

    Raises:
        WeightsError: the two files hold different networks, or are no ONNX.
    """
    ours, theirs = _by_shape(second), _by_shape(first)
    if not ours or ours.keys() != theirs.keys():
        raise WeightsError("these two files are not of one network: their tensors differ")
    mixed = bytearray(second)
    for tensor, (start, end) in ours.items():
        begin, stop = theirs[tensor]
        a, b = (np.frombuffer(x, "<f4") for x in (first[begin:stop], second[start:end]))
        mixed[start:end] = (a + np.float32(strength) * (b - a)).astype("<f4").tobytes()
    return bytes(mixed)


def _by_shape(model: bytes) -> dict[tuple[str, bytes, int], tuple[int, int]]:
    return {
        (name, shape, end - start): (start, end)
        for name, shape, (start, end) in float_tensors(model)
    }


def float_tensors(model: bytes) -> Iterator[tuple[str, bytes, tuple[int, int]]]:
    """List the name and shape of each float tensor in an ONNX file, and the place of its bytes.

    Args:
        model: the content of the file.

    Raises:
        WeightsError: the file is damaged, or no ONNX.
    """
    for number, graph in fields(model, (0, len(model))):
        for inner, tensor in fields(model, graph) if number == _GRAPH else ():
            if inner != _INITIALIZER:
                continue
            parts: dict[int, list[tuple[int, int]]] = {}
            for part, where in fields(model, tensor):
                parts.setdefault(part, []).append(where)
            kind = varint(model, parts[_DATA_TYPE][0][0])[0] if _DATA_TYPE in parts else 0
            if kind == _FLOAT and _RAW_DATA in parts:
                name = b"".join(model[a:b] for a, b in parts.get(_NAME, [])).decode(
                    "utf-8", "replace"
                )
                shape = b",".join(model[a:b] for a, b in parts.get(_DIMS, []))
                start, end = parts[_RAW_DATA][0]
                if (end - start) % 4:
                    raise WeightsError("this file is damaged: a tensor ends within a number")
                yield name, shape, (start, end)
