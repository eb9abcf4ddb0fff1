"""The programs of docs/recipes.md run as they stand there."""

import asyncio
import importlib.util
import io
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from helpers.free_port import free_port
from PIL import Image

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")


def recipes():
    """The blocks of Python below each heading."""
    for section in PAGE.split("\n## ")[1:]:
        name, _, text = section.partition("\n")
        yield name, re.findall(r"```python\n(.*?)```", text, re.DOTALL)


RECIPES = dict(recipes())


@pytest.fixture
def folder(tmp_path, photo, monkeypatch):
    """The current folder, with the pictures that the programs name."""
    monkeypatch.chdir(tmp_path)
    picture = Image.fromarray(np.ascontiguousarray(photo[:24, :40]))
    picture.save("photo.jpg")
    picture.save("scan.png")
    Path("pictures").mkdir()
    for number in range(3):
        picture.save(f"pictures/{number}.png")
    return tmp_path


def loaded(name, folder, change=lambda text: text):
    """Load a recipe as the module of a file."""
    (text,) = RECIPES[name]
    path = folder / f"recipe_{name.lower()}.py"
    path.write_text(change(text), "utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def run(name, folder):
    (text,) = RECIPES[name]
    (folder / "program.py").write_text(text, "utf-8")
    command = [sys.executable, "-W", "error", "program.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def size_of(content):
    with Image.open(io.BytesIO(content)) as picture:
        return picture.format, picture.size


def test_every_recipe_has_a_test_and_a_line_in_the_table():
    assert list(RECIPES) == ["asyncio", "FastAPI", "Celery", "Gradio", "Jupyter", "pandas", "torch"]
    assert re.findall(r"\| \[(\w+)\]\(#(\w+)\) \|", PAGE) == [
        (name, name.lower()) for name in RECIPES
    ]


def test_their_types_are_right(tmp_path):
    """Also of those whose library is not installed here, as far as clearzoom is concerned."""
    for name, blocks in RECIPES.items():
        (tmp_path / f"recipe_{name.lower()}.py").write_text("\n".join(blocks), "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports"]
    command += ["--allow-untyped-decorators", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout


def test_asyncio_prints_the_path(folder):
    assert run("asyncio", folder) == "photo-x2.jpg\n"
    assert (folder / "photo-x2.jpg").is_file()


def test_asyncio_s_time_limit_stops_the_thread(folder, photo):
    module = loaded("asyncio", folder, lambda text: text.replace("asyncio.run(main())", ""))
    Image.fromarray(np.tile(photo, (4, 4, 1))).save("large.png")

    async def hurried():
        async with asyncio.timeout(0.5):
            await module.enlarge("large.png")

    with pytest.raises(TimeoutError):
        asyncio.run(hurried())  # ends once the pool's threads have ended
    assert not [each for each in threading.enumerate() if each.name.startswith("asyncio_")]
    assert not list(folder.glob("large-*"))


def test_fastapi_answers_with_a_larger_picture(folder):
    import httpx
    import uvicorn

    module = loaded("FastAPI", folder)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(module.app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        transport = httpx.HTTPTransport(retries=10)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as client:
            answer = client.post("/enlarge", content=Path("photo.jpg").read_bytes(), timeout=60)
            assert answer.headers["content-type"] == "image/webp"
            assert size_of(answer.content) == ("WEBP", (80, 48))
            refused = client.post("/enlarge", content=b"no picture")
        assert refused.status_code == 400
        assert refused.json()["detail"].startswith("the picture is no picture")
    finally:
        server.should_exit = True
        thread.join()


def test_celery_runs_the_task_and_states_its_progress(folder, monkeypatch):
    pytest.importorskip("celery")
    from celery.contrib.testing.worker import start_worker

    def in_memory(text):
        return text.replace('broker="redis://localhost"', 'broker="memory://"').replace(
            'backend="redis://localhost"', 'backend="cache+memory://"'
        )

    module = loaded("Celery", folder, in_memory)
    states, kind = [], type(module.app.backend)
    store = kind.store_result

    def stored(self, task, result, state, **options):
        states.append((state, result))
        return store(self, task, result, state, **options)

    monkeypatch.setattr(kind, "store_result", stored)
    with start_worker(module.app, perform_ping_check=False):
        assert module.enlarge.delay("photo.jpg", "large.jpg").get(timeout=60) == "large.jpg"
    assert ("PROGRESS", {"done": 1, "total": 1}) in states
    assert size_of(Path("large.jpg").read_bytes()) == ("JPEG", (80, 48))


@pytest.mark.filterwarnings("ignore")  # Gradio's own
def test_gradio_shows_the_larger_picture(folder):
    pytest.importorskip("gradio")
    from gradio_client import Client, handle_file

    module = loaded("Gradio", folder)
    assert module.page.analytics_enabled is False
    _, address, _ = module.page.launch(prevent_thread_lock=True, quiet=True)
    try:
        client = Client(address, verbose=False)
        larger = client.predict(handle_file("scan.png"), 2.5, api_name="/enlarge")
        assert size_of(Path(larger).read_bytes()) == ("PNG", (100, 60))
    finally:
        module.page.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:(zmq|jupyter_client|nbclient|traitlets)")
def test_jupyter_shows_both_pictures(folder):
    import base64

    import nbformat
    from nbclient import NotebookClient

    cells = [nbformat.v4.new_code_cell(block) for block in RECIPES["Jupyter"]]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    shown = [
        out["data"]["image/png"] for cell in notebook.cells for out in cell.outputs if "data" in out
    ]
    assert [size_of(base64.b64decode(each)) for each in shown] == [("PNG", (80, 48))] * 2


def test_pandas_fills_both_columns(folder):
    import pandas

    run("pandas", folder)
    table = pandas.read_parquet("larger.parquet")
    assert table["path"].tolist() == ["photo.jpg", "scan.png"]
    files = [Path("larger/photo-x2.png"), Path("larger/scan-x2.png")]
    assert [file.read_bytes() for file in files] == table["larger_bytes"].tolist()
    assert {size_of(each) for each in table["larger_bytes"]} == {("PNG", (80, 48))}


def test_torch_s_workers_enlarge(folder):
    assert run("torch", folder).splitlines() == [
        "(2, 3, 48, 80)",
        "(1, 3, 48, 80)",
        "(1, 3, 96, 160)",
    ]


@pytest.mark.parametrize("name", ["FastAPI", "Celery", "Gradio"])
def test_what_must_be_installed_stands_before_the_program(name):
    before = PAGE.split(f"\n## {name}\n")[1].partition("```")[0]
    assert re.search(rf"pip install '?{name.lower()}", before)
