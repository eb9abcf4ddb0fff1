"""Where the results of pictures go: their names, of which no two are the same."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from clearzoom.io.formats import ResultFormat
from clearzoom.io.names import result_suffix, suffix_of


@dataclass(frozen=True)
class ResultName:
    """``output``: the result's name. ``clash``: the other picture that has it, if one does."""

    output: str
    clash: str | None = None


def result_names(
    pictures: Iterable[str], wanted: ResultFormat | None = None
) -> dict[str, ResultName]:
    """Name the results of a job's pictures.

    A result has its picture's name, with another suffix where its format is another one. Where that
    would be one name for two, the picture that has it already keeps it, or else the first; the
    other's suffix goes behind its whole name. Names that some file systems do not tell apart, as
    ``A.png`` and ``a.png``, count as one, unless pictures have both.

    Args:
        pictures: relative to their folder, each once.
        wanted: the format of all results; None for each picture's own, or PNG where that is not
            written.

    Returns:
        By picture, in their order. A clash is left where the longer name is a picture's as well.

    Example:
        >>> names = result_names(["a.heic", "a.jpg", "b.tif"], "png")
        >>> [each.output for each in names.values()]
        ['a.png', 'a.jpg.png', 'b.png']
    """
    names = list(pictures)
    outputs = {name: _plain(name, wanted) for name in names}
    owners = _owners({name: _folded(output) for name, output in outputs.items()}, outputs)
    for name, output in outputs.items():
        if name not in (output, owners[_folded(output)]):
            outputs[name] = name + PurePosixPath(output).suffix
    owners = _owners(outputs, outputs)
    return {
        name: ResultName(output, None if owners[output] == name else owners[output])
        for name, output in outputs.items()
    }


def _plain(name: str, wanted: ResultFormat | None) -> str:
    own = PurePosixPath(name).suffix if suffix_of(name) else ""
    return name.removesuffix(own) + result_suffix(name, wanted)


def _folded(output: str) -> str:
    return unicodedata.normalize("NFC", output).casefold()


def _owners(keys: dict[str, str], outputs: dict[str, str]) -> dict[str, str]:
    """By key the picture whose result has it: one of that very name, or else the first."""
    owners: dict[str, str] = {}
    for name, key in keys.items():
        first = owners.setdefault(key, name)
        if name == outputs[name] and first != outputs[first]:
            owners[key] = name
    return owners
