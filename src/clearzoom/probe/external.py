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
_DEEPEST = 100
"""As protobuf's own readers have it."""
_LARGEST_BYTES = 2**31 - 2**20
"""A protobuf message ends at 2 GiB."""
_LONGEST_WORDS = 80
_KEY, _VALUE = 1, 2  # of StringStringEntryProto
_BYTES = 2

Entries = dict[str, str]


class _ReferenceError(Exception):
    """What is wrong with the weights that a file names; the sentence goes on after its name."""


def with_weights_inside(path: Path) -> bytes:
    """Read an ONNX file; what it keeps in files of its own folder is put into it.

    Args:
        path: .onnx; without such weights its bytes come back as they are.

    Raises:
        WeightsError: no ONNX, damaged, or with weights that are missing or in another folder.
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
        # A file can be named by any number of tensors: they are counted before one is read.
        _rebuilt(model, (0, len(model)), "model", count)
        return _rebuilt(model, (0, len(model)), "model", read)
    except OSError as error:
        raise WeightsError(f"{path.name}: its weights cannot be read: {error.strerror}") from error
    except ValueError as error:  # of an offset
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
    except (OSError, ValueError, RuntimeError) as error:  # too long; a NUL; links in a ring
        raise _ReferenceError(f"keeps weights in {_short(name)}, which can be no file") from error
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
    """A message as it was, but for the tensors in it that lie elsewhere."""
    if depth > _DEEPEST:
        raise WeightsError(
            f"its graphs lie in one another more than {_DEEPEST} messages deep, which no reader of "
            "ONNX takes"
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
