"""What a person meant by an input that does not exist."""

import os
import re
import shlex
from collections.abc import Sequence
from difflib import get_close_matches
from glob import has_magic
from pathlib import Path

from clearzoom.errors import MissingFileError
from clearzoom.io.formats import SUFFIXES
from clearzoom.io.missing import missing_file

_MOST_NAMES = 2000
"""In folders with more files no near name is looked for, which would take long."""

_LONGEST_NAME = 12
"""The most words that are tried as one name with blanks."""

_VALUE = re.compile(r"[@:x\u00d7]?\s*\d[\d.,]*\s*(?:[a-z]{1,4}|[%\"'])?,?", re.IGNORECASE)


def check_words(words: Sequence[str], output: str | None) -> None:
    """Refuse words that are no inputs but a name in parts, a part of a value, or the result's name.

    Any other file that does not exist fails alone.

    Args:
        words: the inputs, as they were given.
        output: the value of ``-o``.

    Raises:
        MissingFileError: a word has one of those meanings; the message says how to write it.
    """
    absent = [word for word in words if _is_absent(word)]
    if not absent or len(words) == 1:
        return
    whole = _name_with_blanks(words)
    if whole is not None:
        raise MissingFileError(
            f"no file {absent[0]}; write a name with blanks between quotes: {shlex.quote(whole)}"
        )
    for word in absent:
        if _VALUE.fullmatch(word):
            raise MissingFileError(
                f"no file {word}; write a value with blanks between quotes, as --print 'A3 300dpi'"
            )
    there = [word for word in words if word not in absent]
    if output is None and len(words) == 2 and len(there) == 1 and Path(there[0]).is_file():
        result = Path(absent[0])
        if result.suffix.lower() in SUFFIXES and not _near(result):
            raise MissingFileError(
                f"no file {result}; to give the result this name, write: "
                f"clearzoom enlarge {shlex.quote(there[0])} -o {shlex.quote(absent[0])}"
            )


def is_absent(path: Path) -> bool:
    """Tell whether there is nothing of this name; what cannot be looked at has its own error."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def missing(path: Path) -> MissingFileError:
    """Make the error of an input that does not exist, with the nearest name in its folder.

    Args:
        path: as it was given.
    """
    near = _near(path)
    return MissingFileError(f"no file {path}{near}") if near else missing_file(path)


def _near(path: Path) -> str:
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_MOST_NAMES + 1), strict=False)]
    except OSError:
        return ""
    if len(names) > _MOST_NAMES:
        return ""
    # By stems: two short names with one suffix would resemble each other for that alone.
    stems = {Path(name).stem.casefold(): name for name in names}
    near = get_close_matches(path.stem.casefold(), stems, 1)
    return f"; the nearest right one is {stems[near[0]]}" if near else ""


def _is_absent(word: str) -> bool:
    return not has_magic(word) and "://" not in word and is_absent(Path(word))


def _name_with_blanks(words: Sequence[str]) -> str | None:
    """Return the file that some words are the name of, the longest first; None without one."""
    for length in range(min(len(words), _LONGEST_NAME), 1, -1):
        for first in range(len(words) - length + 1):
            parts = words[first : first + length]
            if any(map(_is_absent, parts)) and os.path.lexists(" ".join(parts)):
                return " ".join(parts)
    return None
