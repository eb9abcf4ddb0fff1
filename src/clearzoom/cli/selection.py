"""What ``enlarge`` and ``plan`` work on: the inputs, and where the result of each goes."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from clearzoom.batch.named_files import NamedFiles, whole_path
from clearzoom.batch.storage import LocalFolder
from clearzoom.batch.tree import full_name
from clearzoom.cli.missing import check_words, is_absent
from clearzoom.errors import InputError, OutputError
from clearzoom.io.formats import FORMATS, SUFFIXES
from clearzoom.io.missing import missing_file, near_name
from clearzoom.io.names import is_picture_name, result_suffix, stem_of
from clearzoom.pipeline.beside import beside
from clearzoom.pipeline.paths import is_folder, is_visible_folder
from clearzoom.pipeline.settings import Settings

if TYPE_CHECKING:
    from clearzoom.pipeline.job import Job


@dataclass(frozen=True)
class Single:
    """A picture and its result.

    ``named_here``: the user did not name the result, so that no older file is replaced.
    """

    source: Path
    target: Path
    named_here: bool = False

    @property
    def named(self) -> str:
        """The input, for messages."""
        return str(self.source)

    def planned(self, settings: Settings, part: tuple[int, int, int, int] | None) -> "Job":
        """Plan the enlargement; nothing is computed or written.

        Args:
            settings: of the enlargement.
            part: x, y, width and height of the part to enlarge; None for the whole picture.

        Raises:
            ClearzoomError: as ``plan_job``; where a file is at the name that was chosen; and where
            there is no input, with the nearest name.
        """
        from clearzoom.pipeline.job import plan_job

        if is_absent(self.source):
            raise missing_file(self.source, near_name(self.source))
        if self.named_here and _is_another(self.source, self.target):
            raise OutputError(
                f"{self.target} exists; remove it, or name the result with -o, which replaces it"
            )
        new = self.named_here and not os.path.lexists(self.target.parent)
        return plan_job(self.source, self.target, settings, makes_folder=new, preview=part)


@dataclass(frozen=True)
class Many:
    """Pictures that are mirrored into a folder, with a report in it."""

    source: LocalFolder
    target: Path

    @property
    def named(self) -> str:
        """The inputs, for messages."""
        return full_name(self.source)


def select(
    words: Sequence[str], output: str | None, settings: Settings, *, part: bool
) -> list[Single | Many]:
    """Find the inputs that the user named, and choose where their results go.

    Args:
        words: paths, and patterns that the shell did not expand.
        output: the value of ``-o``; None for results beside the inputs.
        settings: their size and format stand in the names of results.
        part: whether only a part of the picture is enlarged.

    Returns:
        The work in order. Several inputs with a folder for their results are one job.

    Raises:
        MissingFileError: the one input does not exist, or a word means something else.
        InputError: an input is an address.
        OutputError: several results cannot go into one file.
    """
    check_words(words, output)
    paths = _paths(words)
    if output is not None and "://" in output:
        raise OutputError(other_command(output, f"SOURCE {_folder_of(output)}"))
    into = output is not None and _is_folder_name(output)
    if output is None or (len(paths) == 1 and not is_visible_folder(paths[0])):
        alone = len(paths) == 1
        work = [_work(path, output, settings, part=part, alone=alone, into=into) for path in paths]
        return _without_clashes(work)
    if not into and Path(output).suffix.lower() in SUFFIXES and len(paths) > 1:
        raise OutputError(
            f"the results of {len(paths)} inputs do not go into one file {output}; "
            "name a folder, whose name ends in /"
        )
    source = LocalFolder(str(paths[0])) if len(paths) == 1 else NamedFiles(paths)
    return [Many(source, Path(output))]


def _without_clashes(work: "list[Single | Many]") -> "list[Single | Many]":
    """Put the whole name of an input in its result's, where an earlier result has that name.

    The results of a.heic and a.png are a-x4.png and a.png-x4.png.
    """
    taken: set[str] = set()
    apart: list[Single | Many] = []
    for each in work:
        if isinstance(each, Single) and str(each.target).casefold() in taken:
            rest = each.target.name.removeprefix(stem_of(each.source.name))
            each = replace(each, target=each.target.with_name(each.source.name + rest))
        taken.add(str(each.target).casefold())
        apart.append(each)
    return apart


def _work(
    path: Path, output: str | None, settings: Settings, *, part: bool, alone: bool, into: bool
) -> Single | Many:
    if alone and is_absent(path):
        raise missing_file(path, near_name(path))
    if is_folder(path) if alone else is_visible_folder(path):
        return Many(LocalFolder(str(path)), beside(path, settings.wanted))
    if output is None:
        return Single(path, beside(path, settings.wanted, settings.format, part=part), True)
    if into:
        name = stem_of(path.name) + result_suffix(path.name, settings.format)
        return Single(path, Path(output) / name, True)
    target = Path(output)
    if target.suffix.lower() not in SUFFIXES:
        usual = ", ".join(each.suffixes[0] for each in FORMATS)
        raise OutputError(
            f"cannot write {target}: end its name in {usual}, or in / if it is a folder"
        )
    return Single(path, target)


def _paths(words: Sequence[str]) -> list[Path]:
    """Expand patterns, and take each path once; a pattern that nothing matches stays."""
    paths: dict[Path, Path] = {}
    for word in words:
        if "://" in word and not os.path.lexists(word):
            raise InputError(other_command(word, f"{_folder_of(word)} TARGET"))
        matches = [word]
        if has_magic(word) and not os.path.lexists(word):
            # Path.glob takes no absolute pattern.
            matches = sorted(glob(word, recursive=True)) or [word]  # noqa: PTH207
        for match in matches:
            paths.setdefault(whole_path(Path(match)), Path(match))
    return list(paths.values())


def other_command(address: str, arguments: str) -> str:
    """Say which command takes an address, for an error of one that does not.

    Args:
        address: as the user wrote it.
        arguments: what to write after that command.
    """
    scheme = address.partition("://")[0].lower()
    if scheme in ("http", "https", "file"):
        return f"{address} is an address; give the path of a file, which you downloaded before"
    return (
        f"{address} is an address of an object store, which only 'batch' enlarges: "
        f"clearzoom batch {arguments}"
    )


def _folder_of(address: str) -> str:
    """Return the folder of an address that names a picture; other addresses name folders."""
    return address.rpartition("/")[0] if is_picture_name(address) else address


def _is_folder_name(output: str) -> bool:
    ends = tuple(filter(None, (os.sep, os.altsep)))
    return output.endswith(ends) or is_visible_folder(Path(output))


def _is_another(source: Path, target: Path) -> bool:
    """Tell whether there is a file at the target that is not the source, which has its own error.

    Raises:
        OutputError: the user has no right to look at it.
    """
    try:
        return os.path.lexists(target) and not (target.exists() and target.samefile(source))
    except OSError:
        return False
