"""Read the notes that ``clearzoom export`` wrote into an ONNX file.

No engine reads them: a damaged file can end the process of an engine.
"""

from dataclasses import dataclass
from pathlib import Path

from clearzoom.engines.protobuf import fields
from clearzoom.errors import WeightsError

_METADATA = 14  # of ModelProto
_KEY, _VALUE = 1, 2  # of StringStringEntryProto
_BOUNDS = {"scale": (1, 64), "halo_px": (0, 4096), "tile_px": (1, 65_536)}


@dataclass(frozen=True)
class Grid:
    """A network's scale, and the tiles that it runs on."""

    scale: int
    halo_px: int
    tile_px: int


def read_notes(path: Path) -> dict[str, str]:
    """Read the notes in an ONNX file.

    Args:
        path: the file, whoever made it.

    Raises:
        WeightsError: the file is damaged, or no ONNX.
    """
    notes: dict[str, str] = {}
    try:
        model = path.read_bytes()
        if not model:
            raise WeightsError("it is empty")
        for number, entry in fields(model, (0, len(model))):
            if number == _METADATA:
                pair = {key: model[a:b].decode("utf-8") for key, (a, b) in fields(model, entry)}
                notes[pair.get(_KEY, "")] = pair.get(_VALUE, "")
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, WeightsError) as error:
        raise WeightsError(f"{path} is damaged or no ONNX file: {error}") from error
    return notes


def grid_of(notes: dict[str, str], path: Path) -> Grid:
    """Read the scale and the tiles from a file's notes.

    Args:
        notes: what ``read_notes`` returned.
        path: the file's path, for the message.

    Raises:
        WeightsError: a note is missing, or its number is out of range.
    """
    found = {}
    for name, (least, most) in _BOUNDS.items():
        text = notes.get(name)
        if text is None:
            raise WeightsError(
                f"{path} was not made by 'clearzoom export': no '{name}'; add networks from "
                "elsewhere with 'clearzoom models add'"
            )
        # isdecimal: int() would take underscores and spaces, too, and refuse in words of its own.
        if not (text.isascii() and text.isdecimal() and least <= int(text[:9]) <= most):
            raise WeightsError(
                f"{path} is damaged: its note {name} is {text!r:.40}, not a number from {least} to "
                f"{most}; export it again"
            )
        found[name] = int(text[:9])
    return Grid(**found)
