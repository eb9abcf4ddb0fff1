"""Lift the batch of one picture that an ONNX file states.

References:
    onnx.proto3 for the field numbers.
"""

from collections.abc import Iterator

from clearzoom.engines.protobuf import fields

_GRAPH = 7  # of ModelProto
_INPUT, _OUTPUT = 11, 12  # of GraphProto
_TYPE, _TENSOR_TYPE, _SHAPE, _DIM = 2, 1, 2, 1  # of ValueInfoProto, TypeProto, and so on
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
        for inner, value in fields(model, graph) if number == _GRAPH else ():
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
