"""Killed at any moment, the same command goes on, and the bytes are those of an unbroken run."""

import random
import signal
import time

import numpy as np
import pytest

from clearzoom.io.picture import Picture
from clearzoom.io.writing import write_picture

pytestmark = pytest.mark.slow

KILLS = 10


def results(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def no_result_is_partial(folder, whole):
    for name, content in results(folder).items():
        if ".clearzoom-" not in name and not name.endswith("report.jsonl"):
            assert content == whole[name], name


def tiles_done(folder):
    journals = list(folder.glob(".clearzoom-*/journal"))
    lines = journals[0].read_text().splitlines() if journals else []
    return [line.rpartition(" ")[0] for line in lines if line.rpartition(" ")[2].isdecimal()]


def finish(process):
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said


def wait_for_tiles(process, folder, count):
    while len(tiles_done(folder)) < count:
        assert process.poll() is None
        time.sleep(0.01)


def seconds_of(process):
    began = time.perf_counter()
    finish(process)
    return time.perf_counter() - began


def moments_of(lasts, seed):
    """When to kill, spread over reading, network, encoding and renaming; not over the start."""
    within = random.Random(seed)
    return [lasts * (0.2 + 0.8 * (kill + within.random()) / KILLS) for kill in range(KILLS)]


def test_a_large_picture(tmp_path, photo, small_weights, start):
    write_picture(tmp_path / "in.png", Picture(np.ascontiguousarray(photo[:128])))
    outputs = tmp_path / "unbroken", tmp_path / "killed"
    for folder in outputs:
        folder.mkdir()

    def begin(folder):
        wanted = ("-o", folder / "o.png", "--scale", 2, "--model", small_weights)
        return start("enlarge", tmp_path / "in.png", *wanted, scratch=True)

    lasts = seconds_of(begin(outputs[0]))
    whole = results(outputs[0])
    lost = []
    for kill, moment in enumerate(moments_of(lasts, 0), 1):
        process = begin(outputs[1])
        if kill < KILLS:
            time.sleep(moment)
        else:  # one at least comes while the network is at work, however busy the machine is
            wait_for_tiles(process, outputs[1], 21)
        process.kill()
        process.communicate()
        no_result_is_partial(outputs[1], whole)
        before = tiles_done(outputs[1])
        assert len(before) == len(set(before))  # nothing that was done was done again
        if (outputs[1] / "o.png").exists():
            (outputs[1] / "o.png").unlink()
        lost.append(len(before))
    finish(begin(outputs[1]))
    assert results(outputs[1]) == whole
    assert max(lost) > 20


def test_a_folder(tmp_path, photo, small_weights, start):
    (tmp_path / "in" / "ü #1 [x]").mkdir(parents=True)
    for index in range(8):
        part = np.ascontiguousarray(photo[20 * index : 20 * index + 60, 100:260])
        write_picture(
            tmp_path / "in" / ("ü #1 [x]" if index % 2 else ".") / f"{index}.png", Picture(part)
        )
    outputs = tmp_path / "unbroken", tmp_path / "killed"

    def begin(folder):
        wanted = ("-o", folder, "--scale", 2, "--model", small_weights, "--recursive")
        return start("enlarge", tmp_path / "in", *wanted)

    lasts = seconds_of(begin(outputs[0]))
    whole = results(outputs[0])
    assert len(whole) == 9
    moments = moments_of(lasts, 1)
    random.Random(1).shuffle(moments)
    for kill, moment in enumerate(moments):
        if kill % 5 == 0 and outputs[1].exists():  # from the start again
            for name in results(outputs[1]):
                (outputs[1] / name).unlink()
        process = begin(outputs[1])
        time.sleep(moment)
        process.kill()
        process.communicate()
        no_result_is_partial(outputs[1], whole)
    finish(begin(outputs[1]))
    assert results(outputs[1]) == whole


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_says_that_it_can_go_on(tmp_path, photo, small_weights, start, number):
    write_picture(tmp_path / "in.png", Picture(np.ascontiguousarray(photo[:128])))
    wanted = ("-o", tmp_path / "o.png", "--scale", 2, "--model", small_weights)
    process = start("enlarge", tmp_path / "in.png", *wanted, scratch=True)
    wait_for_tiles(process, tmp_path, 3)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (128 + number, "stopped; repeat the command to continue\n")
    finish(start("enlarge", tmp_path / "in.png", *wanted, scratch=True))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.png", "o.png"]


def journals(folder):
    return [line for path in folder.rglob("journal") for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    "signals",
    [
        [signal.SIGINT],
        [signal.SIGINT, signal.SIGINT],
        [signal.SIGTERM, signal.SIGTERM],  # as 'timeout' sends it
    ],
)
def test_a_folder_that_is_stopped_stops_soon(tmp_path, photo, small_weights, start, signals):
    (tmp_path / "in").mkdir()
    for index in range(3):
        large = np.tile(np.roll(photo, index, axis=1), (5, 5, 1))
        write_picture(tmp_path / "in" / f"{index}.png", Picture(large))
    wanted = ("-o", tmp_path / "out", "--scale", 2, "--model", small_weights)
    process = start("enlarge", tmp_path / "in", *wanted, scratch=True)
    while len(journals(tmp_path)) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    for number in signals:
        process.send_signal(number)
        time.sleep(0.3)
    _, said = process.communicate(timeout=300)
    # Of 24,000 in all. How many were under way depends on how busy the machine is.
    assert len(journals(tmp_path)) < 12_000
    assert "Traceback" not in said
    if signals == [signal.SIGINT, signal.SIGINT]:
        assert process.returncode in (130, -signal.SIGINT)
    else:
        stopped = 128 + signals[0], "stopped; repeat the command to continue\n"
        assert (process.returncode, said) == stopped
    assert len(list((tmp_path / "out").glob(".clearzoom-*/journal"))) >= 1
    assert not list((tmp_path / "out").glob("*.png"))


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_a_damaged_scratch_folder_is_made_good(tmp_path, photo, small_weights, start, damage):
    write_picture(tmp_path / "in.png", Picture(np.ascontiguousarray(photo[:128])))

    def begin(name):
        wanted = ("-o", tmp_path / name, "--scale", 2, "--model", small_weights)
        return start("enlarge", tmp_path / "in.png", *wanted, scratch=True)

    finish(begin("a.png"))
    process = begin("b.png")
    wait_for_tiles(process, tmp_path, 20)
    process.kill()
    process.communicate()
    (folder,) = tmp_path.glob(".clearzoom-*")
    raw = folder / "1.tif"
    if damage == "cut":
        raw.write_bytes(raw.read_bytes()[:-1000])
    else:
        content = bytearray(raw.read_bytes())
        content[: len(content) // 2] = bytes(len(content) // 2)
        raw.write_bytes(content)
        (folder / "journal").write_text((folder / "journal").read_text()[:-3])
    finish(begin("b.png"))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert not list(tmp_path.glob(".clearzoom-*"))
