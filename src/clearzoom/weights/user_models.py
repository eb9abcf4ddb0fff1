"""The user's own models in the data folder: NAME-xSCALE.onnx and its card, like the released ones.

The card is written last and removed first, so that a model is there whole or not at all.
"""

import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clearzoom.errors import ModelError, OutputError, UnknownModelError, WeightsError, nearest
from clearzoom.io.atomic import whole_file
from clearzoom.io.libvips_errors import refused
from clearzoom.io.user_folders import data_folder
from clearzoom.weights.card import AnyCard, read_any_card
from clearzoom.weights.shipped import released

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""Names that can be part of the identifier of a virtual picture."""
_LONGEST_NAME = 64
_RESERVED = ("bicubic",)
_ENDS = (".onnx", "-int8.onnx", "-level.onnx", ".safetensors")
_CARD = re.compile(r"(?P<name>.+)-x(?P<scale>[0-9]+)\.json")


def own_folder() -> Path:
    """Return the folder of the user's own models, which need not exist yet."""
    return data_folder() / "models"


@dataclass(frozen=True)
class Own:
    """One of the user's models, as named by the file of its card.

    ``card`` is None where it is damaged; ``fault`` then states the damage and the remedy.
    """

    name: str
    scale: int
    path: Path
    card: AnyCard | None
    fault: str | None


def own_models(name: str | None = None) -> list[Own]:
    """List the user's own models by name and scale, including damaged ones.

    The files must exist, but are not read: their content is checked when they are loaded.

    Args:
        name: None means the models of all names.
    """
    found = []
    for path in sorted(own_folder().glob("*.json")):
        parts = _CARD.fullmatch(path.name)
        if parts is None or name not in (None, parts["name"]):
            continue
        card: AnyCard | None = None
        fault = None
        try:
            card = _sound_card(path, parts["name"], int(parts["scale"]))
        except WeightsError as error:
            fault = str(error)
        found.append(Own(parts["name"], int(parts["scale"]), path, card, fault))
    return sorted(found, key=lambda own: (own.name, own.scale))


def remedy(path: Path) -> str:
    """Return the remedy for a damaged file, as a clause of an error message.

    Args:
        path: a file of the user's own models or of a released one.
    """
    if path.parent != own_folder():
        return "install clearzoom again"
    name = re.sub(r"-x[0-9]+(-int8|-level)?\.[a-z]+$", "", path.name)
    return f"take the model away with 'clearzoom models remove {name}', and add it again"


def check_file(path: Path, content: bytes | None = None) -> AnyCard:
    """Compare a file of weights with the hash on the card beside it.

    Args:
        path: one of the files that the card names.
        content: the content of the file, where it was read already.

    Returns:
        The card.

    Raises:
        WeightsError: the file is missing, or its hash differs; the message states the remedy.
    """
    stem = re.sub(r"-(int8|level)$", "", path.stem)
    try:
        card = read_any_card(path.with_name(f"{stem}.json"))
    except WeightsError as error:
        raise WeightsError(f"{error}; {remedy(path)}") from error
    stated = next((file.sha256 for file in card.files if file.name == path.name), None)
    if stated is None:
        raise WeightsError(f"{path} is not named on its card; {remedy(path)}")
    try:
        content = path.read_bytes() if content is None else content
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}; {remedy(path)}") from error
    if hashlib.sha256(content).hexdigest() != stated:
        raise WeightsError(
            f"{path} is damaged: its SHA-256 is not the one on its card; {remedy(path)}"
        )
    return card


def check_name(name: str, scale: int) -> None:
    """Refuse a name that a new model cannot have.

    Raises:
        ModelError: the name contains other characters than lower-case letters, digits and single
            hyphens, or is taken.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise ModelError(
            f"a model cannot be called {name!r}: give a `name` of lower-case letters, digits and "
            f"single hyphens, of at most {_LONGEST_NAME}"
        )
    if name in _RESERVED or name in {card.name for card in released()}:
        raise ModelError(f"{name} is the name of a shipped model; give another `name`")
    if (own_folder() / f"{name}-x{scale}.json").exists():
        raise ModelError(
            f"you have a model {name} x{scale} already; give another `name`, or remove it with "
            f"'clearzoom models remove {name} --scale {scale}'"
        )


def name_from(text: str) -> str:
    """Derive a model's name from that of a file or folder: "My Scans (2)" gives "my-scans-2"."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return re.sub(r"-x[0-9]$", "", "-".join(words))[:_LONGEST_NAME].strip("-")


def add_files(name: str, scale: int, files: Sequence[Path]) -> Path:
    """Copy a model's files, which have its name already, to the user's own models.

    Args:
        name: a free name, by ``check_name``.
        scale: of the model.
        files: NAME-xSCALE.onnx, .json and others that the card names.

    Returns:
        The ONNX file in the data folder.

    Raises:
        ModelError: the name is invalid or taken.
        WeightsError: a file has another hash than its card states.
        OutputError: the folder cannot be written.
    """
    check_name(name, scale)
    folder, stem = own_folder(), f"{name}-x{scale}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error
    for path in sorted(files, key=lambda path: path.suffix == ".json"):
        if path.suffix != ".json":
            check_file(path)
        with whole_file(folder / path.name) as temporary:
            shutil.copyfile(path, temporary)
    return folder / f"{stem}.onnx"


def remove(name: str, scale: int | None = None) -> list[Path]:
    """Remove one of the user's own models, damaged or not.

    Args:
        name: of the model.
        scale: None means all scales.

    Returns:
        The removed files.

    Raises:
        ModelError: the model is a shipped one.
        UnknownModelError: the user has no such model.
        OutputError: a file cannot be removed.
    """
    if name in {card.name for card in released()}:
        raise ModelError(f"{name} was shipped with clearzoom; only your own models can be removed")
    gone = []
    for own in own_models(name):
        if scale not in (None, own.scale):
            continue
        stem = own.path.stem
        rest = [own.path.with_name(f"{stem}{end}") for end in _ENDS]
        for path in (own.path, *(path for path in rest if path.exists())):
            try:
                path.unlink()
            except OSError as error:
                raise refused(path, error) from error
            gone.append(path)
    if not gone:
        there = own_models()
        words = ", ".join(f"{own.name} x{own.scale}" for own in there) or "none"
        missing = name if scale is None else f"{name} x{scale}"
        names = {own.name for own in there} - {name}
        raise UnknownModelError(
            f"you have no model {missing}; you have: {words}{nearest(name, sorted(names))}"
        )
    return gone


def _sound_card(path: Path, name: str, scale: int) -> AnyCard:
    try:
        card = read_any_card(path)
    except WeightsError as error:
        raise WeightsError(f"{error}; {remedy(path)}") from error
    if (card.name, card.scale) != (name, scale):
        raise WeightsError(f"{path} is the card of {card.name} x{card.scale}; {remedy(path)}")
    for file in card.files:
        if not path.with_name(file.name).is_file():
            raise WeightsError(f"{path.with_name(file.name)} is missing; {remedy(path)}")
    return card
