"""clearzoom enlarges pictures: the more you zoom, the clearer.

What stands in ``__all__`` is public, and typed. All errors are of ``ClearzoomError``.

Example:
    >>> import numpy as np, clearzoom
    >>> picture = np.zeros((4, 6, 3), np.uint8)
    >>> clearzoom.enlarge(picture, scale=4).shape
    (16, 24, 3)
    >>> try:
    ...     clearzoom.enlarge(picture, model="no-such-model")
    ... except clearzoom.ClearzoomError as error:
    ...     print(error.code)
    unknown-model
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clearzoom.quiet import send_nothing

if TYPE_CHECKING:
    from clearzoom.api import enlarge, enlarge_file
    from clearzoom.batch.settings import Settings
    from clearzoom.core.targets import Wanted
    from clearzoom.engines.network import Network, load_network
    from clearzoom.errors import ClearzoomError
    from clearzoom.metrics.evaluate import evaluate
    from clearzoom.weights import released

__version__: str

__all__ = [
    "ClearzoomError",
    "Network",
    "Settings",
    "Wanted",
    "__version__",
    "enlarge",
    "enlarge_file",
    "evaluate",
    "load_network",
    "released",
]

_HOMES = {
    "ClearzoomError": "clearzoom.errors",
    "Network": "clearzoom.engines.network",
    "Settings": "clearzoom.batch.settings",
    "Wanted": "clearzoom.core.targets",
    "enlarge": "clearzoom.api",
    "enlarge_file": "clearzoom.api",
    "evaluate": "clearzoom.metrics.evaluate",
    "load_network": "clearzoom.engines.network",
    "released": "clearzoom.weights",
}

send_nothing()  # before any part, as each library decides when it is loaded


if not TYPE_CHECKING:  # a type checker would believe that every name is there

    def __getattr__(name: str) -> Any:
        # Lazily, so that importing the package stays cheap.
        if name == "__version__":
            return _version()
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def _version() -> str:
    """Give the version that was installed; of sources that were not, 0+unknown."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("clearzoom")
    except PackageNotFoundError:
        return "0+unknown"


def __dir__() -> list[str]:
    return sorted(__all__)
