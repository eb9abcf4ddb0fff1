"""Pages that are made from the code are what the code says."""

import ast
import re
from pathlib import Path

import pytest
from helpers.scripts import script

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("name", ["make_architecture", "make_cli", "make_errors", "make_settings"])
def test_they_are_current(name):
    module = script(f"docs/{name}.py")
    assert module.TARGET.read_text("utf-8") == module.page(), f"run python docs/{name}.py"


def variables_of(path):
    """The names by which a file asks for environment variables, as it writes them."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        asked = None
        if isinstance(node, ast.Subscript):
            asked, holder = node.slice, node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            asked, holder = node.args[0], node.func.value
            if ast.unparse(node.func) == "os.getenv":
                holder = None
        if asked is not None and (holder is None or ast.unparse(holder) == "os.environ"):
            yield asked


def test_every_variable_that_is_asked_for_is_named():
    settings = script("docs/make_settings.py")
    named = settings.VARIABLES.keys() | settings.INTERNAL
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        for asked in variables_of(path):
            text = ast.unparse(asked)
            given = re.search(rf'^{text} = "(\w+)"', path.read_text("utf-8"), re.MULTILINE)
            found.add(asked.value if isinstance(asked, ast.Constant) else given and given[1])
    assert "CLEARZOOM_CACHE" in found
    assert found - {None} <= named
    assert settings.VARIABLES.keys() <= found


def test_every_made_page_and_figure_has_its_command():
    page = (ROOT / "docs" / "figures.md").read_text("utf-8")
    for path in (ROOT / "docs").glob("make_*.py"):
        assert path.name in page
    for path in (ROOT / "docs").rglob("*.[pjs][npv]g"):
        name = path.relative_to(ROOT / "docs").as_posix()
        stem = re.sub(r"-(psnr|ssim|trained)$", "", path.stem)
        assert path.name in page or f"`{stem}`" in page or f"explain/{stem}" in page, name
