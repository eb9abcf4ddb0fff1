"""Watch a folder: enlarge each picture that is put there, as soon as its file is whole."""

import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from clearzoom.batch.batch import Batch, Finished, ThreadExecutor
from clearzoom.batch.storage import LocalFolder
from clearzoom.errors import ClearzoomError, InputError, MissingExtraError, UnreadablePictureError
from clearzoom.io.libvips_errors import VIPS_ERRORS
from clearzoom.io.names import is_picture_file
from clearzoom.io.reading import open_picture, upright
from clearzoom.pipeline.settings import Settings

_STEADY_S = 1.0
"""A file that has not changed for this long may be whole."""

_PATIENCE_S = 60.0
"""A file that cannot be read counts as whole only if it has not changed for this long: a slow
upload may pause."""

_LOOK_EVERY_S = 0.5
"""How often waiting files are looked at."""

_SCAN_EVERY_S = 60.0
"""How often the whole folder is looked through: not all file systems report their changes."""

_State = tuple[int, int, int]
"""Size, time of change and inode of a file: another state means that it is still written."""


@dataclass
class _Waiting:
    """A file that is not enlarged yet, in the state that it had ``since_s``, a monotonic time."""

    state: _State
    since_s: float
    can_be_read: bool | None = None


@dataclass
class Arrivals:
    """Files that were put into a folder, until each is whole.

    A file is whole if it has not changed for a second and can be read to its end. One that is
    renamed into place is whole at once if it was written before.
    """

    folder: Path
    _waiting: dict[str, _Waiting] = field(default_factory=dict)

    def add(self, name: str) -> None:
        """Wait for a file.

        Args:
            name: relative to the folder; what is no picture is left out.
        """
        state = _state_of(self.folder / name)
        if state is not None and is_picture_file(self.folder / name):
            self._waiting.setdefault(name, _Waiting(state, time.monotonic()))

    def whole(self) -> list[str]:
        """Return the files that are whole now; they are not waited for any longer."""
        found = [name for name in list(self._waiting) if self._is_whole(name)]
        for name in found:
            del self._waiting[name]
        return found

    def _is_whole(self, name: str) -> bool:
        path, waiting = self.folder / name, self._waiting[name]
        state = _state_of(path)
        if state is None:  # it was removed or renamed
            del self._waiting[name]
            return False
        if state != waiting.state:
            waiting = self._waiting[name] = _Waiting(state, time.monotonic())
        steady_s = max(time.monotonic() - waiting.since_s, time.time() - state[1] / 1e9)
        if steady_s < _STEADY_S or steady_s >= _PATIENCE_S:
            return steady_s >= _PATIENCE_S
        if waiting.can_be_read is None:
            waiting.can_be_read = _can_be_read(path)
        return waiting.can_be_read and _state_of(path) == state


def _state_of(path: Path) -> _State | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _can_be_read(path: Path) -> bool:
    """Tell whether a picture can be decoded to its end; what fails for other reasons is whole."""
    try:
        upright(open_picture(path), sequential=True).max()
    except (UnreadablePictureError, *VIPS_ERRORS):
        return False
    except ClearzoomError:
        return True
    return True


def watch_folder(
    source: Path,
    output: Path,
    settings: Settings,
    *,
    recursive: bool = False,
    begins: Callable[[Sequence[str]], None],
    finished: Finished,
) -> None:
    """Enlarge the pictures of a folder, and then each that is put there, until interrupted.

    Pictures are skipped, named, reported and protected as by ``enlarge_folder``. One that failed is
    tried again when its file changes, or when the command starts again.

    Args:
        source: is only read.
        output: is made; it may lie in source, where it is not searched.
        settings: for every picture.
        recursive: also the folders in source, but not those of results.
        begins: gets the names of pictures before they are enlarged.
        finished: gets the row of each picture, and whether it was enlarged before.

    Raises:
        KeyboardInterrupt: a person ended it; running it again continues.
        MissingExtraError: watchfiles is not installed.
        InputError: the system cannot watch the folder.
        ClearzoomError: as ``enlarge_folder`` says; but a folder without a picture is no error.
    """
    places = LocalFolder(str(source)), LocalFolder(str(output))
    list_batch = partial(Batch, *places, settings, recursive=recursive, may_be_empty=True)
    list_batch()  # refuses what no picture could be enlarged with
    arrivals = Arrivals(source)
    tried: dict[str, tuple[_State | None, str]] = {}
    unreadable: set[str] = set()
    scanned_s = -math.inf
    for names in _changes(source, recursive=recursive):
        folders = any((source / name).is_dir() or name == "." for name in names)
        if folders or time.monotonic() - scanned_s >= _SCAN_EVERY_S:
            scanned_s = time.monotonic()
            batch = list_batch()
            names = [task.file for task in batch.tasks]
            for folder in batch.listing.unreadable.keys() - unreadable:
                reason = batch.listing.unreadable[folder]
                finished(batch.context.unreadable(folder, reason), False)
            unreadable |= batch.listing.unreadable.keys()
        for name in names:
            if name not in tried or tried[name][0] != _state_of(source / name):
                arrivals.add(name)
        whole = set(arrivals.whole())
        if whole:
            batch = list_batch()
            batch.tasks = [
                task
                for task in batch.tasks
                # A new picture may take the name of an older one's result.
                if task.file in whole or tried.get(task.file, (None, task.output))[1] != task.output
            ]
            tried |= {t.file: (_state_of(source / t.file), t.output) for t in batch.tasks}
            begins([task.file for task in batch.tasks])
            batch.run(ThreadExecutor(), finished=finished)


def _changes(folder: Path, *, recursive: bool) -> Iterator[Collection[str]]:
    """Yield the names of files that changed, relative to a folder, and nothing now and then."""
    try:
        from watchfiles import watch
    except ModuleNotFoundError as error:
        raise MissingExtraError("watching a folder", "watch") from error
    root = folder.resolve()
    every_ms = int(_LOOK_EVERY_S * 1000)
    try:
        for changes in watch(
            root,
            watch_filter=None,
            debounce=every_ms,
            rust_timeout=every_ms,
            yield_on_timeout=True,
            recursive=recursive,
            ignore_permission_denied=True,  # the listing reports folders that cannot be read
        ):
            yield [Path(path).relative_to(root).as_posix() for _, path in changes]
    except (OSError, RuntimeError) as error:  # watchfiles' own is a RuntimeError
        raise InputError(
            f"the system cannot watch {folder}: {error}; raise its limits of watches and of open "
            "files, or set WATCHFILES_FORCE_POLLING=1"
        ) from error
