"""Add a network to the user's own models: an exported one with its card, or a foreign one."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from clearzoom.checked import checked_path
from clearzoom.engines.enclosed import check_enclosed
from clearzoom.errors import InputError, WeightsError
from clearzoom.probe.apart import Limits, measure_apart
from clearzoom.probe.measure import Say
from clearzoom.probe.torch_weights import SUFFIXES
from clearzoom.weights.card import AnyCard, Card, read_any_card
from clearzoom.weights.user_models import add_files, check_file, check_name, name_from

_STARTS_BYTES = 256
_PAGES = (b"<!doctype html", b"<html")
_POINTER = b"version https://git-lfs"


def add_model(
    file: Path,
    licence: str | None,
    name: str | None,
    say: Say,
    limits: Limits | None = None,
) -> AnyCard:
    """Add a network to the user's own models.

    Args:
        file: an .onnx file, from ``clearzoom export`` with its card beside it, or a foreign one; or
            weights of PyTorch, .pth, .ckpt or .safetensors, of an architecture that spandrel knows.
        licence: of the weights, as the user states it; None means the one on the card.
        name: of the model; None means the card's name, or one derived from the file's.
        say: a function that prints a line of progress.
        limits: of time and memory for a foreign network, which is measured in a process of its
            own; None means the defaults.

    Returns:
        The card.

    Raises:
        MissingFileError: the file does not exist.
        InputError: a foreign network has no licence, or the file has another suffix.
        MissingExtraError: weights of PyTorch need the extra [models].
        WeightsError: the file is damaged, or of an unknown architecture.
        ModelError: the name is taken, or the network gives no enlarged picture.
        OutputError: the data folder cannot be written.
    """
    file = checked_path(file)
    if file.suffix.lower() not in (".onnx", *SUFFIXES):
        raise InputError(
            f"{file} is no .onnx, .pth, .ckpt or .safetensors file; save the weights of the "
            "network as one"
        )
    _check_is_downloaded(file)
    card: AnyCard
    licence = " ".join((licence or "").split()) or None
    exported = _card_beside(file)
    with TemporaryDirectory() as scratch:
        if exported is not None:
            card, paths = _renamed(exported, file, licence, name or exported.name, Path(scratch))
        else:
            if licence is None:
                raise InputError(
                    f"say under which licence the weights of {file.name} may be used, as their "
                    'maker states it: `licence` "..."'
                )
            named = name or name_from(file.stem)
            card, content = measure_apart(file, licence, named, say, limits or Limits())
            paths = [Path(scratch) / card.files[0].name]
            paths[0].write_bytes(content)
        place = Path(scratch) / f"{card.name}-x{card.scale}.json"
        place.write_text(json.dumps(card.model_dump(mode="json"), indent=2) + "\n", "utf-8")
        add_files(card.name, card.scale, [*paths, place])
    return card


def _check_is_downloaded(file: Path) -> None:
    """Refuse what often lies where weights should: a web page, or a pointer of Git LFS."""
    if not file.is_file():
        return  # the reader of its kind says so
    try:
        with file.open("rb") as opened:
            start = opened.read(_STARTS_BYTES).lstrip().lower()
    except OSError as error:
        raise WeightsError(f"{file} cannot be read: {error.strerror}") from error
    if start.startswith(_PAGES):
        raise WeightsError(
            f"{file.name} is a web page and holds no weights; download the file that the page "
            "offers"
        )
    if start.startswith(_POINTER):
        raise WeightsError(
            f"{file.name} is a pointer of Git LFS and holds no weights; run 'git lfs pull' in its "
            "repository"
        )


def _card_beside(file: Path) -> Card | None:
    """Read the card that ``clearzoom export`` wrote; foreign files of that name do not count."""
    try:
        card = read_any_card(file.with_suffix(".json"))
    except WeightsError:
        return None
    if isinstance(card, Card) and any(each.name == file.name for each in card.files):
        return card
    return None


def _renamed(
    card: Card, file: Path, licence: str | None, name: str, scratch: Path
) -> tuple[Card, list[Path]]:
    check_name(name, card.scale)
    old, stem = f"{card.name}-x{card.scale}", f"{name}-x{card.scale}"
    files, paths = [], []
    for each in card.files:
        check_file(file.with_name(each.name))
        if each.name.endswith(".onnx"):
            check_enclosed(file.with_name(each.name).read_bytes(), file.with_name(each.name))
        renamed = each.name.replace(old, stem, 1)
        shutil.copyfile(file.with_name(each.name), scratch / renamed)
        files.append(each.model_copy(update={"name": renamed}))
        paths.append(scratch / renamed)
    scores = [
        row.model_copy(update={"model": name}) if row.model == card.name else row
        for row in card.scores
    ]
    changed = {"name": name, "files": files, "scores": scores}
    return card.model_copy(update=changed | ({"licence": licence} if licence else {})), paths
