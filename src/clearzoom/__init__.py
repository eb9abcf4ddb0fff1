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
    from clearzoom.core.targets import Print, Wanted
    from clearzoom.engines.network import Network, load_network
    from clearzoom.enlarger import Enlarger
    from clearzoom.errors import CancelledError, ClearzoomError
    from clearzoom.io.writing import Encoding
    from clearzoom.metrics.evaluate import evaluate
    from clearzoom.pipeline.settings import Settings
    from clearzoom.weights import released

__version__: str

__all__ = [
    "CancelledError",
    "ClearzoomError",
    "Encoding",
    "Enlarger",
    "Network",
    "Print",
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
    "CancelledError": "clearzoom.errors",
    "ClearzoomError": "clearzoom.errors",
    "Encoding": "clearzoom.io.writing",
    "Enlarger": "clearzoom.enlarger",
    "Network": "clearzoom.engines.network",
    "Print": "clearzoom.core.targets",
    "Settings": "clearzoom.pipeline.settings",
    "Wanted": "clearzoom.core.targets",
    "__version__": "clearzoom.version",
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
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
