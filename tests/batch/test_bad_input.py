"""Whatever a file holds: a right picture or one clear error; nothing partial, no crash, no hang."""

import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import zlib
from collections import Counter

import numpy as np
import pytest

from clearzoom.errors import ClearzoomError
from clearzoom.io.picture import Picture
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.writing import write_picture

pytestmark = pytest.mark.slow

SUFFIXES = (".png", ".jpg", ".webp", ".tif", ".gif", ".avif")


def in_a_folder(start, source, output, model, *more):
    """Enlarge a folder; gives the report's rows by file name."""
    process = start("enlarge", source, "-o", output, "--scale", 2, "--model", model, *more)
    _, said = process.communicate(timeout=900)
    assert process.returncode in (0, 3), said
    assert "Traceback" not in said
    lines = (output / "report.jsonl").read_text("utf-8").splitlines()
    rows = {row["file"]: row for row in map(json.loads, lines)}
    begun = [row for row in rows.values() if row["status"] != "left out"]
    for row in begun:
        assert row.get("code") != "internal", row
        assert (output / row["output"]).exists() == (row["status"] == "done"), row
    left = {p.relative_to(output).as_posix() for p in output.rglob("*") if p.is_file()}
    assert left == {row["output"] for row in begun if row["status"] == "done"} | {"report.jsonl"}
    return rows


def test_truncated_and_flipped(tmp_path, photo, small_weights, start):
    """Every format cut at many places, and with bits flipped."""
    folder = tmp_path / "in"
    folder.mkdir()
    chance = random.Random(0)
    for suffix in SUFFIXES:
        whole = folder / f"whole{suffix}"
        write_picture(whole, Picture(np.ascontiguousarray(photo[100:124, 150:180])))
        content = whole.read_bytes()
        for cut in [0, 1, 3, 9, 20, *(len(content) * part // 12 for part in range(1, 12))]:
            (folder / f"cut-{cut}{suffix}").write_bytes(content[:cut])
        for flip in range(25):
            damaged = bytearray(content)
            for _ in range(chance.choice((1, 3, 30))):
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            (folder / f"flip-{flip}{suffix}").write_bytes(damaged)
    rows = in_a_folder(start, folder, tmp_path / "out", small_weights, "--max-pixels", 10**6)
    for suffix in SUFFIXES:
        assert rows[f"whole{suffix}"]["status"] == "done"
        for cut in (0, 1, 3, 9, 20):
            assert rows[f"cut-{cut}{suffix}"]["status"] == "failed"
    done = sum(row["status"] == "done" for row in rows.values())
    print(f"{len(rows)} damaged files: {done} still pictures, {len(rows) - done} clear errors")


def png(width, height):
    def chunk(kind, data):
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def test_odd_sizes_and_bombs(tmp_path, small_weights, start):
    folder = tmp_path / "in"
    folder.mkdir()
    for width, height in ((1, 1), (1, 3000), (2, 1), (3000, 1)):
        samples = np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8)
        write_picture(folder / f"{width}x{height}.png", Picture(samples))
    (folder / "bomb.png").write_bytes(png(60_000, 60_000))
    (folder / "zero.png").write_bytes(png(0, 5))
    (folder / "short.png").write_bytes(png(900, 900))
    (folder / "text.png").write_text("hello")
    (folder / "other.jpg").write_bytes((folder / "1x1.png").read_bytes())
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "nowhere.png").symlink_to(folder / "none.png")
    rows = in_a_folder(start, folder, tmp_path / "out", small_weights, "--recursive")
    ends = {name: row.get("code", row["status"]) for name, row in rows.items()}
    assert ends == {
        "1x1.png": "done",
        "1x3000.png": "done",
        "2x1.png": "done",
        "3000x1.png": "done",
        "bomb.png": "size",
        "loop": "left out",
        "nowhere.png": "missing",
        "other.jpg": "done",
        "short.png": "unreadable",
        "text.png": "unreadable",
        "zero.png": "unreadable",
    }
    assert (rows["1x3000.png"]["width_px"], rows["1x3000.png"]["height_px"]) == (2, 6000)


def test_pictures_that_nobody_here_made(foreign_archive, tmp_path, start):
    """By content, whatever they are: all get a picture's suffix, so that none is passed over.

    Every eighth of Pillow's own; that px are read rightly is tested with all of them in tests/io.
    """
    folder = tmp_path / "in"
    folder.mkdir()
    with tarfile.open(foreign_archive("pillow-12.0.0")) as files:
        odd = [each for each in files if each.isfile() and "/Tests/images/" in each.name]
        for member in sorted(odd, key=lambda each: each.name)[::8]:
            name = member.name.partition("/Tests/images/")[2].replace("/", "__")
            (folder / f"{name}.png").write_bytes(files.extractfile(member).read())
    rows = in_a_folder(start, folder, tmp_path / "out", "fast", "--max-pixels", 70_000)
    counts = Counter(row.get("code", row["status"]) for row in rows.values())
    assert counts.total() > 120
    assert counts["done"] > 35, counts


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, photo, small_weights, start):
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("a small file system can only be mounted by root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", disk])
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        write_picture(tmp_path / "in.png", Picture(photo))
        (disk / "o.png").write_bytes(b"old")
        for scratch in (False, True):
            wanted = ("-o", disk / "o.png", "--scale", 2, "--model", small_weights)
            process = start("enlarge", tmp_path / "in.png", *wanted, scratch=scratch)
            _, said = process.communicate(timeout=300)
            assert process.returncode == 4, said
            assert said.startswith("error[output]")
            assert {p.name: p.read_bytes() for p in disk.iterdir()} == {"o.png": b"old"}
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.fixture
def as_nobody(tmp_path, photo, small_weights):
    """Run the command as a user who is not root, since root may do anything."""
    for path in (tmp_path, *tmp_path.parents[:3]):
        if not path.stat().st_mode & 0o77:  # pytest made it for its own user alone
            path.chmod(0o755)
    warm = tmp_path / "warm.png"
    write_picture(warm, Picture(np.ascontiguousarray(photo[:20, :20])))
    model = tmp_path / "small.onnx"
    shutil.copy(small_weights, model)
    model.chmod(0o644)
    # Python itself may lie where only root can read: so everything is loaded before.
    script = (
        "import os, sys\n"
        "import clearzoom.batch.batch\n"
        "from clearzoom.cli.main import main\n"
        "wanted, warm = sys.argv[1:], sys.argv[-1]\n"
        "sys.argv[1:] = ['enlarge', warm, '-o', warm + '.warm.png', *wanted[4:-1]]\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "sys.argv[1:] = wanted[:-1]\n"
        "main()"
    )

    def run(source, target, *more):
        wanted = ["enlarge", source, "-o", target, "--scale", "2", "--model", model, *more, warm]
        return subprocess.run(
            [sys.executable, "-c", script, *wanted], capture_output=True, text=True
        )

    return run


def test_without_permission_there_is_one_clear_error(tmp_path, photo, as_nobody):
    write_picture(tmp_path / "in.png", Picture(np.ascontiguousarray(photo[:20, :20])))
    write_picture(tmp_path / "secret.png", Picture(np.ascontiguousarray(photo[:20, :20])))
    (tmp_path / "secret.png").chmod(0)
    closed = tmp_path / "closed"
    closed.mkdir()
    shutil.copy(tmp_path / "in.png", closed)
    closed.chmod(0)
    read_only = tmp_path / "read-only"
    read_only.mkdir(mode=0o555)
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    cases = (
        ("in.png", read_only / "o.png", 4, "error[output]"),
        ("secret.png", open_to_all / "o.png", 3, "error[input]"),
        ("closed/in.png", open_to_all / "o.png", 3, "error[input]"),
        ("closed", open_to_all / "o", 3, "error[input]"),
        ("in.png", closed / "o.png", 4, "error[output]"),
    )
    for name, target, status, start in cases:
        done = as_nobody(tmp_path / name, target)
        assert (done.returncode, done.stderr[: len(start)]) == (status, start), done.stderr
        assert done.stderr.count("\n") == 1
        assert "ermission denied" in done.stderr
        assert not target.exists()


def test_folders_that_may_not_be_read_are_reported(tmp_path, photo, as_nobody):
    source, output = tmp_path / "in", tmp_path / "out"
    output.mkdir()
    output.chmod(0o777)
    for name, mode in (("closed", 0), ("dark", 0o444), ("light", 0o755)):
        (source / name).mkdir(parents=True)
        write_picture(source / name / "a.png", Picture(np.ascontiguousarray(photo[:20, :20])))
        (source / name).chmod(mode)
    done = as_nobody(source, output, "--recursive")
    assert done.returncode == 3, done.stderr
    said = done.stderr.splitlines()
    assert len(said) == 2
    for line, name in zip(said, ("closed", "dark"), strict=True):
        assert line.startswith("failed: ")
        assert str(source / name) in line
        assert line.endswith("Permission denied")
    assert "1 enlarged, 0 done before, 2 failed" in done.stdout
    lines = (output / "report.jsonl").read_text().splitlines()
    rows = {row["file"]: row for row in map(json.loads, lines)}
    assert list(rows) == ["closed", "dark/a.png", "light/a.png"]
    for name in ("closed", "dark/a.png"):
        assert "Permission denied" in rows[name]["error"]
    (output / "report.jsonl").unlink()
    output.chmod(0o444)
    done = as_nobody(source, output, "--recursive")
    assert done.returncode == 4
    assert done.stderr.startswith("error[output]")
    assert done.stderr.count("\n") == 1


def test_fuzzed_headers_never_raise_anything_else(tmp_path, photo):
    path = tmp_path / "p.tif"
    write_picture(path, Picture(np.ascontiguousarray(photo[:8, :8])))
    content = path.read_bytes()
    chance = random.Random(1)
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(4):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            samples = decode(open_picture(path, max_pixels=10**6))
        except ClearzoomError:
            continue
        assert samples.ndim == 3
