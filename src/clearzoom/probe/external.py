"""Take weights that an ONNX file keeps in files beside it into the file."""

from collections.abc import Callable
from pathlib import Path

from clearzoom.engines.protobuf import fields
from clearzoom.errors import WeightsError

_INNER = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""Of onnx.proto3: the fields in which a tensor can lie, by the message that they stand in."""

_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 9, 13, 14  # of TensorProto
_KEY, _VALUE = 1, 2  # of StringStringEntryProto
_BYTES = 2

Entries = dict[str, str]


def with_weights_inside(path: Path) -> bytes:
    """Read an ONNX file; what it keeps in files of its own folder is put into it.

    Args:
        path: .onnx; without such weights its bytes come back as they are.

    Raises:
        WeightsError: no ONNX, damaged, or with weights that are missing or in another folder.
    """
    model = path.read_bytes()
    beside: dict[str, bytes] = {}

    def read(entries: Entries) -> bytes:
        name = entries.get("location", "")
        if name not in beside:
            beside[name] = _file_beside(path, name).read_bytes()
        whole = beside[name]
        start = int(entries.get("offset", 0))
        stop = start + int(entries.get("length", len(whole) - start))
        if not 0 <= start <= stop <= len(whole):
            raise WeightsError(f"{path.name} wants more weights than {name} holds; get it again")
        return whole[start:stop]

    try:
        return _rebuilt(model, (0, len(model)), "model", read)
    except ValueError as error:  # of an offset
        raise WeightsError(f"{path.name} is damaged: {error}") from error
    except WeightsError as error:
        if path.name in str(error):
            raise
        raise WeightsError(f"{path.name}: {error}") from error


def _file_beside(path: Path, name: str) -> Path:
    folder = path.parent.resolve()
    place = (folder / name).resolve()
    if Path(name).is_absolute() or not place.is_relative_to(folder):
        raise WeightsError(f"{path.name} wants weights from {name}, which is not in its own folder")
    if not place.is_file():
        raise WeightsError(f"{path.name} keeps weights in {name}, which is missing beside it")
    return place


def _rebuilt(
    model: bytes, where: tuple[int, int], kind: str, read: Callable[[Entries], bytes]
) -> bytes:
    """A message as it was, but for the tensors in it that lie elsewhere."""
    if kind == "tensor":
        return _tensor(model, where, read)
    parts, before = [], where[0]
    for number, (start, stop) in fields(model, where):
        inner = _INNER[kind].get(number)
        new = None if inner is None else _rebuilt(model, (start, stop), inner, read)
        if new is None or new == model[start:stop]:
            parts.append(model[before:stop])
        else:
            parts.append(_varint(number << 3 | _BYTES) + _varint(len(new)) + new)
        before = stop
    return b"".join(parts)


def _tensor(model: bytes, where: tuple[int, int], read: Callable[[Entries], bytes]) -> bytes:
    entries: Entries = {}
    parts, before = [], where[0]
    for number, (start, stop) in fields(model, where):
        if number == _EXTERNAL_DATA:
            pair = {key: model[a:b].decode("utf-8") for key, (a, b) in fields(model, (start, stop))}
            entries[pair.get(_KEY, "")] = pair.get(_VALUE, "")
        elif number != _DATA_LOCATION:
            parts.append(model[before:stop])
        before = stop
    if not entries:
        return model[where[0] : where[1]]
    content = read(entries)
    return b"".join([*parts, _varint(_RAW_DATA << 3 | _BYTES), _varint(len(content)), content])


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)
