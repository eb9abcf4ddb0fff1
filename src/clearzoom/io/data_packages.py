"""Find the data packages, which extras bring so that not everyone has their megabytes."""

from importlib.util import find_spec
from pathlib import Path

from clearzoom.errors import MissingExtraError


def package_folder(name: str, what: str, extra: str) -> Path:
    """Return the folder of an installed data package; nothing of it is run.

    Args:
        name: of the package, as it is imported.
        what: the thing that needs it, for the error.
        extra: the extra that brings it.

    Raises:
        MissingExtraError: it is not installed.

    Example:
        >>> package_folder("no_such_package", "a test", "serve")
        Traceback (most recent call last):
        clearzoom.errors.MissingExtraError: a test needs an optional part: ...
    """
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise MissingExtraError(what, extra)
    return Path(spec.origin).parent
