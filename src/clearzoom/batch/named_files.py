"""Pictures and folders that were named one by one, as one source of a batch."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from clearzoom.batch.storage import LocalFolder
from clearzoom.pipeline.paths import is_visible_folder


class NamedFiles(LocalFolder):
    """Files and folders of this machine that lie anywhere.

    Args:
        paths: files and folders, each once.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__(os.curdir)
        self.inputs = _short_names(paths)

    def path(self, name: str) -> Path:
        """Give the path of the file itself, which may lie in one of the folders."""
        if name in self.inputs:
            return self.inputs[name]
        for above in PurePosixPath(name).parents:
            folder = self.inputs.get(above.as_posix())
            if folder is not None:
                return folder / PurePosixPath(name).relative_to(above)
        return super().path(name)

    def identities(self, name: str) -> set[object]:
        """Give what identifies a file; of the whole source, what identifies its folders."""
        if name:
            return super().identities(name)
        found: set[object] = set()
        for each, path in self.inputs.items():
            if is_visible_folder(path):
                found |= super().identities(each)
        return found


def whole_path(path: Path) -> Path:
    """Return an absolute path without detours; a link keeps its own name.

    Args:
        path: of a file or folder, which need not exist.
    """
    if path.name in ("", ".."):
        return path.resolve()
    return path.parent.resolve() / path.name


def _short_names(paths: Sequence[Path]) -> Mapping[str, Path]:
    """Name each file and folder for its result; equal names get the folders that tell them apart.

    Example:
        >>> list(_short_names([Path("a/x.png"), Path("b/x.png"), Path("b/y.png")]))
        ['a/x.png', 'b/x.png', 'y.png']
    """
    whole = [whole_path(path) for path in paths]
    count = Counter(os.path.normcase(path.name) for path in whole)
    shared = {path for path in whole if count[os.path.normcase(path.name)] > 1}
    try:
        above = Path(os.path.commonpath([path.parent for path in shared])) if shared else Path()
    except ValueError:  # they lie on several drives of Windows
        names = [each.as_posix().replace(":", "") for each in whole]
        return dict(zip(names, paths, strict=True))
    short: dict[str, Path] = {}
    for path, absolute in zip(paths, whole, strict=True):
        name = absolute.relative_to(above).as_posix() if absolute in shared else absolute.name
        short[name or absolute.as_posix()] = path
    return short
