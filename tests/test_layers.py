"""Arrows point downward only: what each folder may import."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "clearzoom"

ORDER = [
    {"errors", "quiet", "version"},
    {"checked"},
    {"core"},
    {"io"},
    {"models", "losses"},
    {"weights"},
    {"engines"},
    {"metrics"},
    {"probe"},
    {"pipeline"},
    {"doctor"},
    {"batch"},
    {"enlarger"},
    {"api"},
    {"train"},
    {"explain"},
    {"server"},
    {"cli"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def part(path):
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_downward(path):
    own = part(path)
    for name in imports(path):
        if not name.startswith("clearzoom."):
            continue
        other = name.split(".")[1]
        assert other == own or LEVEL[other] < LEVEL[own], f"{own} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_nothing_imports_torchvision_and_core_only_numpy(path):
    roots = {name.split(".")[0] for name in imports(path)}
    assert "torchvision" not in roots
    if part(path) == "core":
        assert roots <= {"numpy", "clearzoom"} | sys.stdlib_module_names


def test_every_part_has_a_level():
    assert {part(path) for path in FILES} == set(LEVEL)


def test_no_module_imports_itself_by_way_of_others():
    """Also where an import stands in a function, or is for types alone."""
    names = {".".join(path.relative_to(SOURCE).with_suffix("").parts): path for path in FILES}
    graph = {}
    for name, path in names.items():
        found = (each.removeprefix("clearzoom.") for each in imports(path))
        graph[name] = {each for each in found if each in names and each != name}
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_file_is_longer_than_300_lines(path):
    assert len(path.read_text("utf-8").splitlines()) <= 300
