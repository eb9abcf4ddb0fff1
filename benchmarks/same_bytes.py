"""Hash what a checkout makes, to compare two commits on one machine, and say what differs.

    python benchmarks/same_bytes.py ../before/src before.json
    python benchmarks/same_bytes.py src after.json --against before.json

Only what users see is used: the command, the Python call, and the server's addresses. Both commits
run with the packages of this environment, so engines and encoders are the same.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyvips
from PIL import Image

EXAMPLE = Path(__file__).parent.parent / "examples" / "chelsea.png"

ONE_PICTURE = {
    "fast": ["--model", "fast"],
    "photo": [],
    "crisp": ["--model", "photo-crisp", "--strength", "0.6"],
    "slim": ["--model", "srresnet-slim", "--scale", "4"],
    "photo-x2": ["--scale", "2"],
    "two-networks": ["--model", "fast", "--scale", "7.3"],
    "width": ["--model", "fast", "--width", "333"],
    "print": ["--model", "fast", "--print", "40x30mm@200dpi", "--fill", "--bleed", "2mm"],
    "ensemble": ["--model", "fast", "--ensemble", "--scale", "2"],
    "full": ["--consistency", "full"],
    "levels": ["--consistency", "4", "--model", "fast"],
    "none": ["--consistency", "none", "--denoise", "1"],
    "halo": ["--model", "fast", "--halo", "16"],
    "torch": ["--model", "fast", "--engine", "torch"],
    "openvino": ["--model", "fast", "--engine", "openvino"],
    "preview": ["--preview", "31,20,40,33", "--model", "fast", "--scale", "2.5"],
    "strip": ["--metadata", "strip", "--model", "fast"],
    "memory": ["--memory", "700MB", "--model", "fast"],
}
ON_RAY = ["--on", "ray", "--split-megapixels", 0.02, "--max-actors", 2]
TILES = [
    "full/max/0/default.jpg",
    "full/^max/0/default.webp",
    "0,0,256,256/256,/0/default.png",
    "100,50,120,90/60,45/0/gray.png",
    "square/^300,/90/default.png",
    "pct:10,10,50,50/max/!180/bitonal.png",
    "137,91,200,180/200,180/0/default.jpg",
]
VARIANTS = [
    "",
    "~x2",
    "~x4",
    "~x8",
    "~x4,fast",
    "~x4,photo-crisp,0.5",
    "~x4,photo,d0.6",
    "~x4,bicubic",
    "~f4",
]
ADDRESSES = [
    "iiif/3/{}/info.json",
    "iiif/3/{}~x4/info.json",
    "iiif/presentation/3/{}~x4/manifest",
    "dzi/{}.dzi",
    "dzi/{}_files/9/0_0.jpg",
    "api/pictures",
    "api/models",
    "iiif/3/none.png/info.json",
    "iiif/3/{}/full/9999999,/0/default.jpg",
]


def make_inputs(folder: Path) -> None:
    """Write small pictures of every kind that is read."""
    whole = pyvips.Image.new_from_file(str(EXAMPLE))
    part = whole.crop(120, 60, 90, 70).copy(xres=11.811, yres=11.811)
    part.pngsave(str(folder / "rgb.png"))
    part.jpegsave(str(folder / "jpeg60.jpg"), Q=60)
    part.colourspace("b-w").tiffsave(str(folder / "grey.tif"), compression="lzw")
    deep = part.cast("ushort") * 257
    alpha = pyvips.Image.new_from_array(np.linspace(0, 65_535, 90 * 70).reshape(70, 90))
    deep = deep.bandjoin(alpha).cast("ushort").copy(interpretation="rgb16")
    deep.pngsave(str(folder / "deep-alpha.png"))
    part.webpsave(str(folder / "web.webp"), lossless=True)
    part.heifsave(str(folder / "av.avif"), compression="av1", Q=80)
    pillow = Image.open(EXAMPLE).crop((40, 30, 120, 100))
    pillow.convert("CMYK").save(folder / "ink.tif", dpi=(300, 300))
    pillow.convert("P").save(folder / "palette.png")
    pillow.save(folder / "plain.bmp")
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x013B] = 6, "a cat", "somebody"
    pillow.save(folder / "turned.jpg", exif=exif, quality=80, dpi=(72, 72))
    frames = [pillow.crop((x, x, x + 40, x + 30)) for x in range(0, 30, 10)]
    for name in ("moving.gif", "moving.webp", "moving.png"):
        frames[0].save(folder / name, save_all=True, append_images=frames[1:], duration=90, loop=0)
    (folder / "broken.png").write_bytes(EXAMPLE.read_bytes()[:5_000])
    (folder / "below").mkdir()
    shutil.copy(folder / "jpeg60.jpg", folder / "below" / "again.jpg")


def sha256(data: bytes) -> str:
    """Hash bytes."""
    return hashlib.sha256(data).hexdigest()[:20]


def command(source: Path, *words: object) -> int:
    """Run the command of a checkout; give its exit status."""
    program = [sys.executable, "-m", "clearzoom", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(source)}
    return subprocess.run(program, env=environment, capture_output=True).returncode


def tree(folder: Path) -> Iterator[tuple[str, str]]:
    """Hash the results in a folder, and its report without what differs from run to run."""
    for path in sorted(folder.rglob("*")):
        if path.name == "report.jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            same = [
                {k: v for k, v in row.items() if k not in ("settings", "error")} for row in rows
            ]
            yield "report", sha256(json.dumps(same, sort_keys=True).encode())
        elif path.is_file():
            yield path.relative_to(folder).as_posix(), sha256(path.read_bytes())


def pictures(source: Path, inputs: Path, place: Path) -> Iterator[tuple[str, str]]:
    """One picture at a time: all kinds of settings, then all kinds of files."""
    for name, words in ONE_PICTURE.items():
        for given in ("rgb.png", "deep-alpha.png"):
            result = place / f"{name}-{given}"
            status = command(source, "enlarge", inputs / given, "-o", result, *words)
            yield f"one/{name}/{given}", sha256(result.read_bytes()) if status == 0 else str(status)
    for given in sorted(inputs.iterdir()):
        for suffix in (given.suffix, ".tif", ".jpg"):
            result = place / f"kind-{given.stem}{suffix}"
            status = command(
                source, "enlarge", given, "-o", result, "--model", "fast", "--scale", 2
            )
            made = sha256(result.read_bytes()) if status == 0 and result.is_file() else str(status)
            yield f"kind/{given.name}{suffix}", made
    fidelity = place / "map.png"
    command(
        source, "enlarge", inputs / "rgb.png", "-o", place / "m.png", "--fidelity-map", fidelity
    )
    yield "one/fidelity-map", sha256(fidelity.read_bytes())


def folders(source: Path, inputs: Path, place: Path) -> Iterator[tuple[str, str]]:
    """A folder here, the same on a Ray cluster, and a second run of each that finds all done."""
    ways = {
        "folder": ["enlarge", inputs, "-o", place / "folder", "--recursive"],
        "local": ["batch", inputs, place / "local", "--recursive"],
        "ray": ["batch", inputs, place / "ray", "--recursive", *ON_RAY],
    }
    for name, words in ways.items():
        for run in ("first", "again"):
            status = command(source, *words, "--model", "fast", "--scale", 3, "--format", "png")
            yield f"{name}/{run}", str(status)
            for made, digest in tree(place / name):
                yield f"{name}/{run}/{made}", digest


def calls(source: Path) -> Iterator[tuple[str, str]]:
    """The Python call on arrays and PIL pictures."""
    code = f"""
import hashlib, numpy as np, clearzoom
from PIL import Image
picture = Image.open({str(EXAMPLE)!r}).crop((100, 60, 160, 100))
array = np.asarray(picture)
for given in (array, array[..., 0], array.astype(np.uint16) * 257, array / 255.0):
    for scale in (2, 3.3):
        made = clearzoom.enlarge(given, scale, "fast")
        print(hashlib.sha256(made.tobytes()).hexdigest()[:20])
for mode in ("L", "LA", "RGBA", "P", "CMYK", "1", "YCbCr"):
    made = clearzoom.enlarge(picture.convert(mode), 4)
    print(hashlib.sha256(made.tobytes()).hexdigest()[:20])
"""
    environment = os.environ | {"PYTHONPATH": str(source)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    yield from ((f"call/{index}", line) for index, line in enumerate(done.stdout.split()))


def answers(source: Path, inputs: Path, place: Path) -> Iterator[tuple[str, str]]:
    """Tiles, descriptions and jobs of a running server."""
    folder = place / "served"
    shutil.copytree(inputs, folder)
    shutil.copy(EXAMPLE, folder / "chelsea.png")
    words = ["serve", folder, "--port", "0", "--cache", place / "cache"]
    program = [sys.executable, "-m", "clearzoom", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(source)}
    opened = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+?:\d+", server.stdout.readline())
        assert found is not None
        base = found[0]

        def ask(path: str, body: bytes | None = None) -> str:
            request = urllib.request.Request(f"{base}/{path}", data=body)
            try:
                with opened(request, timeout=300) as answer:
                    told = answer.headers["Content-Type"], answer.headers["Link"]
                    content = answer.read().replace(base.encode(), b"")
                    return sha256(repr(told).replace(base, "").encode() + content)
            except urllib.error.HTTPError as error:
                return str(error.code)

        try:
            for variant in VARIANTS:
                for tile in TILES:
                    path = f"iiif/3/chelsea.png{variant}/{tile}"
                    yield path, ask(path)
            for given in ("deep-alpha.png", "ink.tif", "turned.jpg", "moving.gif"):
                path = f"iiif/3/{given}~x4/0,0,200,200/200,200/0/default.png"
                yield path, ask(path)
            for address in ADDRESSES:
                yield address, ask(address.format("chelsea.png"))
            for query in ("scale=2&model=fast", "print_size=4x3cm@100dpi&fill=true&format=jpg"):
                for given in ("rgb.png", "turned.jpg", "moving.gif", "broken.png"):
                    path = f"api/enlarge?{query}&name={given}"
                    yield path, ask(path, (inputs / given).read_bytes())
        finally:
            server.send_signal(signal.SIGTERM)


def main() -> int:
    """Hash everything; with --against say what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="the src folder of a checkout")
    parser.add_argument("result", type=Path, help="a JSON file")
    parser.add_argument("--against", type=Path, help="the JSON file of another checkout")
    arguments = parser.parse_args()
    source = arguments.source.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        inputs, place = Path(temporary, "inputs"), Path(temporary, "made")
        inputs.mkdir()
        place.mkdir()
        make_inputs(inputs)
        made: dict[str, str] = {}
        for part in (
            calls(source),
            pictures(source, inputs, place),
            folders(source, inputs, place),
            answers(source, inputs, place),
        ):
            made |= part
    arguments.result.write_text(json.dumps(made, indent=1) + "\n")
    if arguments.against is None:
        print(f"{len(made)} hashes in {arguments.result}")
        return 0
    before = json.loads(arguments.against.read_text())
    names = sorted(name for name in made | before if made.get(name) != before.get(name))
    for name in names:
        print(f"differs: {name}: {before.get(name)} before, {made.get(name)} now")
    print(f"{len(made) - len(names)} of {len(made)} are the same")
    return bool(names)


if __name__ == "__main__":
    sys.exit(main())
