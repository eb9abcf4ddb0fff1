"""Refuse ONNX files that hold graphs inside graphs, or keep weights in other files.

No file of ``clearzoom export`` does. Anybody can write our notes into an ONNX file, and such a file
runs in this process. Without loops and branches, and without the weights of another file, it ends,
and takes about as much memory as its size says.
"""

from collections.abc import Iterator
from pathlib import Path

from clearzoom.engines.protobuf import fields, varint
from clearzoom.errors import WeightsError

_FUNCTION, _GRAPH = 25, 7  # of ModelProto
_NODE, _TENSOR, _SPARSE = 1, 5, 15  # of GraphProto
_ATTRIBUTE, _DOMAIN = 5, 7  # of NodeProto
_INNER_GRAPHS, _INNER_TENSORS, _INNER_SPARSE = (6, 11), (5, 10), (22, 23)  # of AttributeProto
_EXTERNAL_DATA, _DATA_LOCATION, _ELSEWHERE = 13, 14, 1  # of TensorProto
_STANDARD = ("", "ai.onnx")


def check_enclosed(model: bytes, path: Path) -> None:
    """Refuse a file that could run for ever, or read other files.

    Args:
        model: the content of the ONNX file.
        path: the file's path, for the message.

    Raises:
        WeightsError: the file is damaged, or ``clearzoom export`` did not write it.
    """
    try:
        why = next(_faults(model), None)
    except WeightsError as error:
        raise WeightsError(f"{path} is damaged or no ONNX file: {error}") from error
    if why is not None:
        raise WeightsError(
            f"{path} was not made by 'clearzoom export': {why}; add networks from elsewhere "
            "with 'clearzoom models add'"
        )


def _faults(model: bytes) -> Iterator[str]:
    for number, part in fields(model, (0, len(model))):
        if number == _FUNCTION:
            yield "it has functions"
        if number == _GRAPH:
            yield from _faults_of_graph(model, part)


def _faults_of_graph(model: bytes, graph: tuple[int, int]) -> Iterator[str]:
    for number, part in fields(model, graph):
        if number == _NODE:
            yield from _faults_of_node(model, part)
        elif number == _TENSOR and _lies_elsewhere(model, part):
            yield "it keeps weights in another file"
        elif number == _SPARSE:
            yield "it has sparse weights"


def _faults_of_node(model: bytes, node: tuple[int, int]) -> Iterator[str]:
    for number, part in fields(model, node):
        if number == _DOMAIN and model[slice(*part)].decode("utf-8", "replace") not in _STANDARD:
            yield "it has operators that are not ONNX's"
        if number != _ATTRIBUTE:
            continue
        for inner, content in fields(model, part):
            if inner in _INNER_GRAPHS:
                yield "it has loops or branches"
            elif inner in _INNER_SPARSE:
                yield "it has sparse weights"
            elif inner in _INNER_TENSORS and _lies_elsewhere(model, content):
                yield "it keeps weights in another file"


def _lies_elsewhere(model: bytes, tensor: tuple[int, int]) -> bool:
    return any(
        number == _EXTERNAL_DATA
        or (number == _DATA_LOCATION and varint(model, start)[0] == _ELSEWHERE)
        for number, (start, _) in fields(model, tensor)
    )
