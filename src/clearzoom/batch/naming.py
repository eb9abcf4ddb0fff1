"""Name the results of pictures, so that no two have one name."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from clearzoom.io.formats import ResultFormat
from clearzoom.io.names import result_suffix, suffix_of


@dataclass(frozen=True)
class ResultName:
    """The result's name, ``output``, and ``clash``: another picture whose result has that name."""

    output: str
    clash: str | None = None


def result_names(
    pictures: Iterable[str], result_format: ResultFormat | None = None
) -> dict[str, ResultName]:
    """Name the results of a batch.

    A result has its picture's name, with another suffix where its format differs. Where two results
    would have one name, a picture that has this name itself keeps it, or else the first does; the
    other's suffix follows its whole name. Names that some file systems do not distinguish, as
    ``A.png`` and ``a.png``, count as one, unless pictures have both.

    Args:
        pictures: relative to their folder, each once.
        result_format: the format of all results; None for each picture's own, or PNG where that
            cannot be written.

    Returns:
        The names by picture, in order. A clash remains where the longer name is a picture's too.

    Example:
        >>> names = result_names(["a.heic", "a.jpg", "b.tif"], "png")
        >>> [each.output for each in names.values()]
        ['a.png', 'a.jpg.png', 'b.png']
    """
    names = list(pictures)
    outputs = {name: _plain(name, result_format) for name in names}
    owners = _owners({name: _folded(output) for name, output in outputs.items()}, outputs)
    for name, output in outputs.items():
        if name not in (output, owners[_folded(output)]):
            outputs[name] = name + PurePosixPath(output).suffix
    owners = _owners(outputs, outputs)
    return {
        name: ResultName(output, None if owners[output] == name else owners[output])
        for name, output in outputs.items()
    }


def _plain(name: str, result_format: ResultFormat | None) -> str:
    own = PurePosixPath(name).suffix if suffix_of(name) else ""
    return name.removesuffix(own) + result_suffix(name, result_format)


def _folded(output: str) -> str:
    return unicodedata.normalize("NFC", output).casefold()


def _owners(keys: dict[str, str], outputs: dict[str, str]) -> dict[str, str]:
    """Give by key the picture that has this name itself, or else the first whose result has it."""
    owners: dict[str, str] = {}
    for name, key in keys.items():
        first = owners.setdefault(key, name)
        if name == outputs[name] and first != outputs[first]:
            owners[key] = name
    return owners
