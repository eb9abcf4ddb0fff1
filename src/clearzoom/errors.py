"""Every error that clearzoom raises on purpose.

    ClearzoomError                 code          exit status
    ├── InputError                 input         3
    │   ├── MissingFileError       missing       3
    │   ├── UnreadablePictureError unreadable    3
    │   └── SizeError              size          3
    ├── OutputError                output        4
    ├── ModelError                 model         5
    │   ├── UnknownModelError      unknown-model 5
    │   └── WeightsError           weights       5
    ├── ConfigError                config        6
    ├── MissingExtraError          missing-extra 7
    ├── TrainingError              training      8
    ├── ResultError                result        9
    └── ClusterError               cluster       10

The message is one line: what happened, and what to do. The code is stable, for programs.
"""


class ClearzoomError(Exception):
    """Base of all errors here. Carries a stable ``code`` and the command's ``exit_status``.

    Example:
        >>> MissingFileError("no file a.png; check the name").code
        'missing'
    """

    code = "clearzoom"
    exit_status = 1


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


class OutputError(ClearzoomError):
    """The result could not be written; nothing partial was left behind."""

    code = "output"
    exit_status = 4


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


class ConfigError(ClearzoomError):
    """A configuration file has an unknown key or a wrong value."""

    code = "config"
    exit_status = 6


class MissingExtraError(ClearzoomError):
    """An optional part is not installed; the message names the install command."""

    code = "missing-extra"
    exit_status = 7

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: pip install 'clearzoom[{extra}]'")


class TrainingError(ClearzoomError):
    """Training cannot start or go on; the last good checkpoint is kept."""

    code = "training"
    exit_status = 8


class ResultError(ClearzoomError):
    """A network gave something that is no picture; nothing was written."""

    code = "result"
    exit_status = 9


class ClusterError(ClearzoomError):
    """A cluster cannot be reached, or cannot do what is asked for."""

    code = "cluster"
    exit_status = 10
