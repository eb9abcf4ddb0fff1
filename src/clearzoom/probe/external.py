"""Move weights that lie in files beside an ONNX file into the file itself."""

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
"""Fields of onnx.proto3 that can contain a tensor, by the message that contains them. Only these
are decoded, so that everything else passes byte for byte."""

_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 9, 13, 14  # of TensorProto
_DEEPEST = 100
"""The limit of protobuf's own readers."""
_LARGEST_BYTES = 2**31 - 2**20
"""A protobuf message is at most 2 GiB long."""
_LONGEST_WORDS = 80
_KEY, _VALUE = 1, 2  # of StringStringEntryProto
_BYTES = 2  # the wire type of strings, bytes and inner messages

Entries = dict[str, str]


class _ReferenceError(Exception):
    """What is wrong with the weights that a file names; the sentence goes on after its name."""


def with_weights_inside(path: Path) -> bytes:
    """Read an ONNX file with all weights that lie in files of its own folder.

    Args:
        path: the .onnx file; without such weights its bytes are returned as they are.

    Raises:
        WeightsError: the file is damaged or not ONNX, or weights are missing or in another folder.
    """
    taken = path.stat().st_size

    def place_of(entries: Entries) -> tuple[Path, int, int]:
        name = entries.get("location", "")
        place = _file_beside(path, name)
        whole = place.stat().st_size
        start = int(entries.get("offset", 0))
        length = int(entries.get("length", whole - start))
        if length < 0 or not 0 <= start <= start + length <= whole:
            raise _ReferenceError(f"wants more weights than {_short(name)} holds; get it again")
        return place, start, length

    def count(entries: Entries) -> bytes:
        nonlocal taken
        taken += place_of(entries)[2]
        _check_size(taken)
        return b""

    def read(entries: Entries) -> bytes:
        place, start, length = place_of(entries)
        with place.open("rb") as file:
            file.seek(start)
            return file.read(length)

    try:
        _check_size(taken)
        model = path.read_bytes()
        # Any number of tensors can name one file, so their bytes are summed before one is read.
        _rebuilt(model, (0, len(model)), "model", count)
        return _rebuilt(model, (0, len(model)), "model", read)
    except OSError as error:
        raise WeightsError(f"{path.name}: its weights cannot be read: {error.strerror}") from error
    except ValueError as error:  # an offset is not a number
        raise WeightsError(f"{path.name} is damaged: {error}") from error
    except _ReferenceError as error:
        raise WeightsError(f"{path.name} {error}") from error
    except WeightsError as error:
        raise WeightsError(f"{path.name}: {error}") from error


def _check_size(size_bytes: int) -> None:
    if size_bytes >= _LARGEST_BYTES:
        raise _ReferenceError(
            f"with all its weights has {size_bytes / 1e9:.1f} GB or more; networks "
            "above 2 GB cannot be added"
        )


def _file_beside(path: Path, name: str) -> Path:
    folder = path.parent.resolve()
    try:
        place = (folder / name).resolve()
        inside = not Path(name).is_absolute() and place.is_relative_to(folder)
        there = inside and place.is_file()
    except (OSError, ValueError, RuntimeError) as error:  # too long; a NUL; a cycle of links
        raise _ReferenceError(f"keeps weights in {_short(name)}, which cannot be a file") from error
    if not inside:
        raise _ReferenceError(f"wants weights from {_short(name)}, which is not in its own folder")
    if not there:
        raise _ReferenceError(f"keeps weights in {_short(name)}, which is missing beside it")
    return place


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_WORDS else f"{name[:_LONGEST_WORDS]}..."


def _rebuilt(
    model: bytes,
    where: tuple[int, int],
    kind: str,
    read: Callable[[Entries], bytes],
    depth: int = 0,
) -> bytes:
    """Copy a message, with the data of external tensors in it."""
    if depth > _DEEPEST:
        raise WeightsError(
            f"its graphs are nested more than {_DEEPEST} messages deep, which no reader of ONNX "
            "accepts"
        )
    if kind == "tensor":
        return _tensor(model, where, read)
    parts, before = [], where[0]
    for number, (start, stop) in fields(model, where):
        inner = _INNER[kind].get(number)
        new = None if inner is None else _rebuilt(model, (start, stop), inner, read, depth + 1)
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
