"""The notebook of the chapter runs from top to bottom, and is kept without its outputs."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from clearzoom.explain.chapter import PAGES

pytestmark = pytest.mark.docs

PATH = Path(__file__).parent.parent / "examples" / "chapter.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(PATH, as_version=4)


def test_it_is_kept_without_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.usefixtures("fetched_weights")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:(zmq|jupyter_client|nbclient|traitlets)")
def test_it_runs_and_shows_every_page(notebook):
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": PATH.parent}}).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    text = "\n".join(cell.source for cell in code)
    assert all(f'show("{topic}")' in text or f'show_trained("{topic}")' in text for topic in PAGES)
    pictures = [out for cell in code for out in cell.outputs if "image/png" in out.get("data", {})]
    assert len(pictures) >= 8
    shown = "".join(
        out["data"].get("text/markdown", "")
        for cell in code
        for out in cell.outputs
        if "data" in out
    )
    links = re.findall(r"\]\((?!https?:)([^)#]+)", shown)
    assert len(links) > 10
    assert all((PATH.parent / link).exists() for link in links)
