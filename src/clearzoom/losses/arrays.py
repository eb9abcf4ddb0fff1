"""Read numpy arrays out of a pickle, and nothing else: a pickle can otherwise run any program."""

import io
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt

from clearzoom.errors import WeightsError

Arrays = dict[str, npt.NDArray[np.float32]]

# The module of this function depends on numpy's version; an array's own pickle names it.
_RECONSTRUCT = np.empty(0).__reduce__()[0]

_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ADMITTED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}") from None


def read_arrays(content: bytes) -> Arrays:
    """Read a pickle of nested dictionaries of float32 arrays.

    Args:
        content: the whole pickle. It is not trusted: nothing but numpy arrays is ever created.

    Returns:
        The arrays by their path, e.g. "AlexNet_0/Conv_0/kernel".

    Raises:
        WeightsError: it is damaged, or contains or calls anything but float32 arrays.

    Example:
        >>> content = pickle.dumps({"head": {"kernel": np.ones((2, 3), np.float32)}})
        >>> read_arrays(content)["head/kernel"].shape
        (2, 3)
        >>> read_arrays(pickle.dumps(eval))
        Traceback (most recent call last):
        clearzoom.errors.WeightsError: refused a pickle: it names builtins.eval
    """
    try:
        tree = _ArraysOnly(io.BytesIO(content)).load()
    except Exception as error:  # a damaged pickle can raise whatever its bytes happen to spell
        raise WeightsError(f"refused a pickle: {error}") from error
    arrays: Arrays = {}
    _collect(tree, (), arrays)
    return arrays


def _collect(tree: Any, path: tuple[str, ...], arrays: Arrays) -> None:
    if type(tree) is dict and all(type(name) is str for name in tree):
        for name, branch in tree.items():
            _collect(branch, (*path, name), arrays)
    elif type(tree) is np.ndarray and tree.dtype == np.float32:
        arrays["/".join(path)] = tree
    else:
        raise WeightsError(f"refused a pickle: {'/'.join(path)} is no float32 array")
