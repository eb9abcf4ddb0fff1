"""The version of clearzoom: every part reads it here."""

from importlib.metadata import PackageNotFoundError, version


def _installed_version() -> str:
    try:
        return version("clearzoom")
    except PackageNotFoundError:  # sources that were never installed
        return "0+unknown"


__version__ = _installed_version()
