"""Contact sheets at 100 % of any folder of pictures: bicubic, our models, what other people use.

    python benchmarks/sheet.py FOLDER [-o OUT] [--scale 4] [--model photo] [--at 40,60]

Each picture gets OUT/NAME.png; OUT/page-1.png and so on hold several each, at most 2000x2400 px.
The crops are of the result as it is, never scaled, at the place of most detail or around --at (px
of the picture that is given). Ours is what ``clearzoom enlarge`` gives with all defaults, written
as PNG; the seconds are those of the whole call. What is transparent is shown on light grey, and the
peers get the picture on that grey.

Peers (4 times only): Real-ESRGAN and waifu2x, where their wheels are installed: in this environment
(pip install --group bench) or in one of their own, which --peers-python names (see peers.py). They
are slow on a CPU: they get the crop and 32 px around it alone (of a whole picture x4plus gave the
same crop but for 0.25 levels on the mean, the others but for 0.001); their seconds are those of as
many px as the whole picture has; what they give is kept in the folder for caches, by the hash of
what they got.
"""

import argparse
import hashlib
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyvips
from asked import settings_of, short_name
from contact import Cell, Pixels, busiest, inside, pages, strip
from peers import PEERS
from peers import SCALE as PEERS_SCALE
from PIL import Image, PngImagePlugin

from clearzoom import enlarge_file
from clearzoom.core.resize import enlarge_bicubic
from clearzoom.errors import ClearzoomError
from clearzoom.io.atomic import whole_file
from clearzoom.io.folder import picture_files
from clearzoom.io.user_folders import cache_folder
from clearzoom.weights import released

BEHIND = (200, 200, 200)
"""Behind what is transparent."""

AROUND_PX = 32
"""Of the picture that is given, around a crop: as much as peers need to give the same crop."""


def shown(path: Path) -> Pixels:
    """Decode a file as it is seen: upright, its first frame, on BEHIND, 8-bit sRGB."""
    image = pyvips.Image.new_from_file(str(path), fail_on="error").autorot().colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=list(BEHIND))
    pixels: Pixels = image.extract_band(0, n=3).cast("uchar").numpy()
    return pixels


def ours(source: Path, scale: int, model: str) -> tuple[Pixels, float]:
    """Enlarge by the plain command's defaults; also the seconds."""
    with TemporaryDirectory() as scratch:
        target = Path(scratch, "larger.png")
        start = time.perf_counter()
        enlarge_file(source, target, settings_of(model, scale))
        seconds = time.perf_counter() - start
        return shown(target), seconds


def peers(picture: Pixels, name: str, python: str) -> tuple[Pixels, float]:
    """Enlarge 4 times by a peer, or take what is kept of an earlier call.

    Raises:
        RuntimeError: the peer is not there, or failed; the message is its last line.
    """
    digest = hashlib.sha256(f"{name} {picture.shape}".encode() + picture.tobytes()).hexdigest()
    kept = cache_folder() / "peers" / f"{digest}.png"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as scratch:
            source, target = Path(scratch, "given.png"), Path(scratch, "larger.png")
            Image.fromarray(picture).save(source)
            command = [python, str(Path(__file__).with_name("peers.py")), name, source, target]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1])
            notes = PngImagePlugin.PngInfo()
            notes.add_text("seconds", done.stdout.split()[-1])
            with whole_file(kept) as temporary, Image.open(target) as result:
                result.save(temporary, "PNG", pnginfo=notes)
    with Image.open(kept) as result:
        return np.asarray(result.convert("RGB")), float(result.info["seconds"])


def sheet(source: Path, chosen: argparse.Namespace, missing: dict[str, str]) -> Image.Image:
    """Enlarge one picture by everything that is chosen, and draw the crops.

    Args:
        source: a picture file.
        chosen: the command line.
        missing: gets the peers that are not there, with the reason.
    """
    given, scale = shown(source), chosen.scale
    side = max(1, chosen.side // scale)
    size = (given.shape[1], given.shape[0])
    left, top = busiest(given, side) if chosen.at is None else inside(chosen.at, size, side)
    start = time.perf_counter()
    larger = enlarge_bicubic(given, scale)
    cells = [
        Cell(said("bicubic", time.perf_counter() - start), cut(larger, left, top, side, scale))
    ]
    for model in chosen.model:
        larger, seconds = ours(source, scale, model)
        cells.append(Cell(said(short_name(model), seconds), cut(larger, left, top, side, scale)))
    x, y = max(0, left - AROUND_PX), max(0, top - AROUND_PX)
    part = np.ascontiguousarray(given[y : top + side + AROUND_PX, x : left + side + AROUND_PX])
    for name in chosen.peer:
        if name not in missing:
            try:
                larger, seconds = peers(part, name, chosen.peers_python)
            except RuntimeError as error:
                missing[name] = str(error)
                continue
            label = said(name, seconds * given.size / part.size)
            cells.append(Cell(label, cut(larger, left - x, top - y, side, scale)))
    words = f"{source.name}, {size[0]}x{size[1]} px, x{scale}, at {left},{top}"
    return strip(words, cells)


def cut(larger: Pixels, left: int, top: int, side: int, scale: int) -> Pixels:
    """Cut the crop out of a result; left, top and side are px of the picture that was given."""
    rows, columns = (slice(first * scale, (first + side) * scale) for first in (top, left))
    return larger[rows, columns]


def said(name: str, seconds: float) -> str:
    """Label a crop."""
    return f"{name}  {seconds:.1f} s"


def place(text: str) -> tuple[int, int]:
    """Read ``40,60``."""
    x, y = text.split(",")
    return int(x), int(y)


def command_line(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; without --model, all released models of the scale."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("sheets"))
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument(
        "--model",
        action="append",
        help="a name or an ONNX file, or either with @STRENGTH; repeatable",
    )
    parser.add_argument("--peer", action="append", choices=[*PEERS, "none"], help="repeatable")
    parser.add_argument("--peers-python", default=sys.executable, metavar="PATH")
    parser.add_argument("--side", type=int, default=320, help="of a crop, px of the result")
    parser.add_argument("--at", type=place, metavar="X,Y", help="middle of the crop, px given")
    chosen = parser.parse_args(arguments)
    if chosen.model is None:
        chosen.model = [card.name for card in released() if card.scale == chosen.scale]
    peers_there = PEERS if chosen.scale == PEERS_SCALE else ()
    chosen.peer = [name for name in chosen.peer or PEERS if name in peers_there]
    return chosen


def main() -> None:
    """Make the sheets."""
    chosen = command_line(sys.argv[1:])
    chosen.output.mkdir(parents=True, exist_ok=True)
    missing: dict[str, str] = {}
    strips = []
    for source in picture_files(chosen.folder):
        try:
            strips.append(sheet(source, chosen, missing))
        except (ClearzoomError, pyvips.Error) as error:
            print(f"{source.name} is left out: {error}")
            continue
        strips[-1].save(chosen.output / f"{source.stem}.png")
        print(chosen.output / f"{source.stem}.png", flush=True)
    for name, reason in missing.items():
        print(f"{name} is left out: {reason}")
    for number, page in enumerate(pages(strips), 1):
        page.save(chosen.output / f"page-{number}.png")
        print(chosen.output / f"page-{number}.png")


if __name__ == "__main__":
    main()
