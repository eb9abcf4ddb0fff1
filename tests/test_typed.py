"""A user's program is checked by mypy --strict against the installed package."""

import subprocess
import sys

import pytest

RIGHT = """
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

import io
import threading

import clearzoom
from clearzoom import CancelledError, ClearzoomError, Encoding, Enlarger, Network, Print
from clearzoom import Settings, Wanted, enlarge, enlarge_file, evaluate, load_network, released


def larger(levels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return enlarge(levels, scale=2.5, model="fast", ensemble=True)


def show(picture: Image.Image) -> Image.Image:
    return enlarge(picture, back_projection=False)


def many(paths: list[Path], pictures: tuple[Image.Image, ...]) -> list[Path]:
    shown: list[Image.Image] = enlarge(pictures, width=300, height=200, fill=True)
    assert shown
    return enlarge(paths, 2, output="large", quality=90, max_bytes="2MB", format="jpg")


def encoded(picture: bytes, file: io.BytesIO) -> bytes:
    both: list[bytes] = enlarge([file, file], long_edge=900, memory=10**9, metadata="strip")
    opened: bytes = enlarge(file, print_size=Print(600, 700, bleed_mm=3))
    return both[0] + opened + enlarge(picture, print_size="60x70cm", bleed="3mm")


def service(stop: threading.Event, picture: Image.Image, levels: npt.NDArray[np.uint8]) -> None:
    enlarger = Enlarger(model="fast", scale=2, engine="onnxruntime", precision="fp32")
    try:
        sizes: tuple[int, int] = enlarger(picture, progress=print, cancel=stop).size
        again: npt.NDArray[np.uint8] = enlarger.enlarge(levels)
        read: bytes = enlarger(io.BytesIO(b"picture"))
        lost: list[str] = []
        both: list[str] = enlarger(["a.png", "b.png"], output="large/", notes=lost.append)
    except CancelledError:
        return
    assert sizes and again.size and read and both and enlarger.settings.encoding == Encoding(95)


def files(source: Path) -> tuple[int, int]:
    beside: Path = enlarge(source)
    settings = Settings(Wanted(width_px=300, height_px=200, fitting="fill"), precision="int8")
    done = enlarge_file(beside, str(source.with_name("b.tif")), settings, lambda done, total: None)
    return done.width_px, done.height_px


def scores(folder: Path) -> dict[str, float]:
    network: Network = load_network("photo", 4, engine="onnxruntime")
    return {row.model: row.psnr_db for row in evaluate(folder, 4, [network])}


def codes() -> str:
    try:
        return released()[0].licence
    except ClearzoomError as error:
        return error.code


version: str = clearzoom.__version__
"""

WRONG = {
    'clearzoom.enlarge("a.png", scale="4")': "call-overload",
    'clearzoom.enlarge("a.png", 4, "photo", True)': "call-overload",
    'clearzoom.enlarge("a.png", widht=300)': "call-overload",
    "clearzoom.enlarge(4)": "call-overload",
    'x: str = clearzoom.enlarge(["a.png"])': "assignment",
    "clearzoom.Enlarger(widht=300)": "call-arg",
    'clearzoom.Enlarger("photo")': "call-arg|misc",
    "clearzoom.Enlarger()(4)": "call-overload",
    'y: int = clearzoom.enlarge("a.png")': "assignment",
    "clearzoom.Wanted(width=3)": "call-arg",
    'clearzoom.Settings(engine="cuda")': "arg-type",
    'clearzoom.enlarge_file(b"a.png", "b.png")': "arg-type",
    'clearzoom.load_network("photo", 4).scales': "attr-defined",
    "clearzoom.enlarged": "attr-defined",
    "clearzoom.released()[0].halo": "attr-defined",
}


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """Gives what mypy --strict says of a program in an empty folder, as a user has it."""
    folder = tmp_path_factory.mktemp("user")

    def run(text):
        (folder / "program.py").write_text(text)
        command = [sys.executable, "-m", "mypy", "--strict", "program.py"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
        return done.returncode, done.stdout

    return run


@pytest.mark.slow
def test_a_right_program_passes(check):
    status, said = check(RIGHT)
    assert status == 0, said


@pytest.mark.slow
def test_each_wrong_use_is_an_error_at_its_line(check):
    status, said = check("import clearzoom\n" + "\n".join(WRONG) + "\n")
    assert status == 1
    for number, (line, code) in enumerate(WRONG.items(), 2):
        found = [row for row in said.splitlines() if row.startswith(f"program.py:{number}: error")]
        assert found, line
        assert any(found[0].endswith(f"[{one}]") for one in code.split("|")), (line, found)
