"""When the description of a folder changed last."""

import time
from collections.abc import Iterable
from contextlib import suppress

from clearzoom.server.gallery.folders import Folder
from clearzoom.server.gallery.library import Entry, Library
from clearzoom.server.gallery.owner_file import NAME, marks_changed_ns
from clearzoom.server.iiif.responses import STARTED_NS


def folder_change_ns(library: Library, folder: Folder, entries: Iterable[Entry] = ()) -> int:
    """Return when the latest of what decides a folder's description changed, in ns since 1970.

    Args:
        library: of the served folder.
        folder: the folder; its own time is that of the last file that came, went or was renamed.
        entries: the pictures that are described.
    """
    own = folder.path.relative_to(library.folder) / NAME
    changed_ns = [STARTED_NS, marks_changed_ns(library.folder, own)]
    for entry in entries:
        with suppress(OSError):
            state = entry.path.stat()
            changed_ns += [state.st_mtime_ns, state.st_ctime_ns]
    return min(max(changed_ns), time.time_ns())
