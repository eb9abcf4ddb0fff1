"""Every error that clearzoom raises on purpose.

    ClearzoomError                 code          exit status
    ├── InputError                 input         3
    │   ├── MissingFileError       missing       3
    │   ├── UnreadablePictureError unreadable    3
    │   ├── SizeError              size          3
    │   └── StoreError             store         11
    ├── OutputError                output        4
    │   └── FullDiskError          output        4
    ├── ModelError                 model         5
    │   ├── UnknownModelError      unknown-model 5
    │   ├── WeightsError           weights       5
    │   └── DeviceError            device        5
    ├── ConfigError                config        6
    ├── MissingExtraError          missing-extra 7
    ├── TrainingError              training      8
    │   └── InterruptedRunError    training      8
    ├── ResultError                result        9
    ├── ClusterError               cluster       10
    └── CancelledError             cancelled     130

The message is one line: what happened, and what to do. The code is stable, for programs. A message
names settings in backticks as the Python call spells them; the command and the server put the names
of their own options and fields there. What a program decides by is the class, the code or the
setting, never the words.
"""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Self

_SETTING = re.compile(
    "`(access_file|address|background|bleed|cache_bytes|consistency|cpus|data|denoise|device|devices|engine"
    "|ensemble|fidelity_map|fill|finish|format|gpus|halo_px|height|height_px|host|init"
    "|initial_weights|learning_rate|licence|limit_mib|long_edge|long_edge_px|max_actors|max_bytes"
    "|max_pixels|max_upload_bytes|megapixels|memory_bytes|metadata|min_actors|model|name|nodes"
    "|output|pixel_art|port|precision|preview|print_size|psnr_model|quality|recursive|resume"
    "|resume_from|scale|sheet|steps|strength|there|tiff_compression|time_budget_s|wheels|width"
    "|width_px|wrap)`"
)
"""No other word in backticks is a setting's name: a file may be called anything."""

_LONGEST_WORD = 100
"""Longer words are no misspelt ones, and comparing them takes long."""


def worded(text: str, names: Callable[[str], str]) -> str:
    """Write the settings that a text names in backticks as an interface spells them.

    Args:
        text: of an error, or of a field's description.
        names: gives the interface's own name of a setting, like ``--memory`` of ``memory_bytes``.

    Example:
        >>> worded("give `memory_bytes` 1GB for `a.png`", lambda name: f"--{name[:6]}")
        'give --memory 1GB for `a.png`'
    """
    return _SETTING.sub(lambda found: names(found[1]), text)


def nearest(word: str, right: Iterable[str]) -> str:
    """Name the right word that a misspelt one resembles, as the end of a message.

    Args:
        word: as a person wrote it.
        right: the words that would be understood.

    Returns:
        Words that begin with a semicolon; no text where nothing resembles the word.

    Example:
        >>> nearest("foto", ["fast", "photo"]), nearest("xyz", ["fast", "photo"])
        ('; the nearest right one is photo', '')
    """
    known = {each.casefold(): each for each in right}
    near = get_close_matches(word[:_LONGEST_WORD].casefold(), known, 1)
    return f"; the nearest right one is {known[near[0]]}" if near else ""


class ClearzoomError(Exception):
    """Base of all errors here. Carries a stable ``code`` and the command's ``exit_status``.

    Args:
        message: one line, with settings in backticks.
        setting: the one setting of an enlargement whose value is refused or would help, as the
            Python call spells it; None where there is no such setting, or more than one.

    Example:
        >>> error = SizeError("too little memory; give `memory_bytes` 1GB", setting="memory_bytes")
        >>> error.code, error.setting
        ('size', 'memory_bytes')
    """

    code = "clearzoom"
    exit_status = 1

    def __init__(self, message: str, *, setting: str | None = None) -> None:
        super().__init__(message)
        self.setting = setting

    def worded(self, names: Callable[[str], str]) -> str:
        """Give the message in the words of an interface, as the function ``worded`` does."""
        return worded(str(self), names)

    def with_message(self, message: str) -> Self:
        """Give the same error with another message, as one without the paths of a server."""
        other = type(self).__new__(type(self), message)
        vars(other).update(vars(self))
        return other


class InputError(ClearzoomError):
    """What was given cannot be used."""

    code = "input"
    exit_status = 3


class MissingFileError(InputError):
    """A file or folder that was named does not exist."""

    code = "missing"


class UnreadablePictureError(InputError):
    """A file is no picture, is truncated, or has a form that cannot be read."""

    code = "unreadable"


class SizeError(InputError):
    """A picture is too small, too large, or sizes do not fit together."""

    code = "size"


class StoreError(InputError):
    """An object store cannot be reached, or does not give what is asked of it.

    It has an exit status of its own: to repeat the command may help, as with no other input.
    """

    code = "store"
    exit_status = 11


class OutputError(ClearzoomError):
    """The result could not be written; nothing partial was left behind."""

    code = "output"
    exit_status = 4


class FullDiskError(OutputError):
    """The disk of the result, or of temporary files, is full."""


class ModelError(ClearzoomError):
    """Something is wrong with a network or its weights."""

    code = "model"
    exit_status = 5


class UnknownModelError(ModelError):
    """No network or weights go by this name, or none for this scale."""

    code = "unknown-model"


class WeightsError(ModelError):
    """A weights file is damaged, or does not fit its network."""

    code = "weights"


class DeviceError(ModelError):
    """A device is not there, or cannot run the network."""

    code = "device"


class ConfigError(ClearzoomError):
    """A configuration file has an unknown key or a wrong value."""

    code = "config"
    exit_status = 6


class MissingExtraError(ClearzoomError):
    """An optional part is not installed; the message names the install command."""

    code = "missing-extra"
    exit_status = 7

    what = extra = ""

    def __init__(self, what: str, extra: str) -> None:
        from clearzoom.extras import install_command  # its imports are for this error alone

        super().__init__(f"{what} needs an optional part: {install_command(extra)}")
        self.what, self.extra = what, extra


class TrainingError(ClearzoomError):
    """Training cannot start or go on; the last good checkpoint is kept."""

    code = "training"
    exit_status = 8


class InterruptedRunError(TrainingError):
    """A person ended the training; the run can be resumed where a checkpoint was saved."""


class ResultError(ClearzoomError):
    """A network gave something that is no picture; nothing was written."""

    code = "result"
    exit_status = 9


class ClusterError(ClearzoomError):
    """A cluster cannot be reached, or cannot run the batch."""

    code = "cluster"
    exit_status = 10


class CancelledError(ClearzoomError):
    """The program that asked for a result asked to stop; nothing partial was left behind.

    Example:
        >>> import threading, clearzoom
        >>> stop = threading.Event()
        >>> stop.set()
        >>> clearzoom.enlarge("photo.jpg", cancel=stop)
        Traceback (most recent call last):
        clearzoom.errors.CancelledError: cancelled by the program; call again to begin or to go on
    """

    code = "cancelled"
    exit_status = 130
