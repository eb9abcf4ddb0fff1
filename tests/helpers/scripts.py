"""The repository's programs that belong to no package: benchmarks, makers of pages."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def script(name):
    """Load a program, such as ``"docs/make_cli.py"``, as a module without starting it.

    Its imports find the programs in its folder, as they do when Python starts it.
    """
    path = ROOT / name
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(path.parent)
        spec.loader.exec_module(module)
    return module
