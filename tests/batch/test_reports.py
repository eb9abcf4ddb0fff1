import json
import os

import numpy as np
import pytest

from clearzoom.batch.batch import Batch, ThreadExecutor, enlarge_folder
from clearzoom.batch.storage import LocalFolder
from clearzoom.core.targets import Wanted
from clearzoom.errors import OutputError
from clearzoom.io.picture import Picture
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.settings import Settings


@pytest.fixture
def tree(tmp_path, photo):
    names = ["a.png", "b #1.jpg", "ünï [2].webp"]
    for index, name in enumerate(names):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, Picture(np.ascontiguousarray(photo[:20, index * 9 : index * 9 + 30])))
    (tmp_path / "in" / "bad.jpg").write_text("no picture")
    return tmp_path / "in"


@pytest.fixture
def settings(small_weights):
    return Settings(Wanted(2), str(small_weights))


def rows(output):
    lines = (output / "report.jsonl").read_text("utf-8").splitlines()
    return {row["file"]: row for row in map(json.loads, lines)}


DAMAGED = [
    b'{"file": "a.png", "status": "done", "output": 5}',
    b'{"file": "a.png", "status": "done", "output": ["a.png"]}',
    b'{"file": "a.png", "status": "done", "output": {}, "sha256": [], "bytes": "x"}',
    b'{"file": "a.png", "status": "done", "output": null}',
    b'{"file": ["a.png"], "status": "done"}',
    b'{"file": "a.png", "status": {}}',
    b'{"file": "x", "status": "done", "output": "' + b"x" * 5000 + b'"}',
    b'{"file": "' + b"y" * 5000 + b'", "status": "done", "output": "y/' + b"y" * 300 + b'"}',
    b'{"file": "n", "status": "done", "output": "a\\u0000.png"}',
    b'{"file": "m", "status": "done", "output": "/etc/passwd"}',
    b'{"file": "k", "status": "done", "output": "../in/a.png"}',
    b'{"file": "\\ud800", "status": "done", "output": "\\udfff"}',
    b'{"file": "a.png", "status": "done", "bytes": ' + b"1" * 5000 + b"}",
    b'{"file": "a.png", "status": "done", "bytes": NaN, "older_result": []}',
    b"\xff\xfe\x00{\x00",
    b"\0" * 3000,
    b"[" * 100_000,
    b'{"file": "z", "status": "done", "output": "a.png", "x": "' + b"x" * 2**21 + b'"}',
    b"x" * (2**20 - 1),
    b"true",
    b"",
]


def test_a_damaged_or_foreign_report_never_ends_a_job(tree, tmp_path, settings):
    for output in (tmp_path / "out", tmp_path / "new"):
        if output.name == "out":
            enlarge_folder(tree, output, settings)
        output.mkdir(exist_ok=True)
        report = output / "report.jsonl"
        whole = report.read_bytes() if report.exists() else b""
        for ending in (b"\n", b"\r\n"):
            report.write_bytes(ending.join(DAMAGED) + ending + whole + DAMAGED[0])
            counts = enlarge_folder(tree, output, settings)
            assert (counts.done + counts.skipped, counts.failed) == (3, 1)
            assert set(rows(output)) == {"a.png", "b #1.jpg", "ünï [2].webp", "bad.jpg"}
            assert counts.skipped == 3 or not whole
            whole = report.read_bytes()


def test_each_damaged_row_alone(tree, tmp_path, settings):
    archive = tmp_path / "archive"
    archive.mkdir()
    for row in DAMAGED:
        (archive / "report.jsonl").write_bytes(row)
        before = Batch(LocalFolder(str(tree)), LocalFolder(str(archive)), settings)
        assert all(isinstance(each.get("output", ""), str) for each in before.rows.values())
        assert not {"x", "n", "m", "k", "z"} & set(before.rows) - {"x"}


def test_an_archive_goes_on_from_any_report_and_journal(tree, tmp_path, settings):
    output = tmp_path / "out"
    journal = output / ".clearzoom-report"
    journal.mkdir(parents=True)
    for name in ("abc.jsonl", "00000001.jsonl", "9.txt", "\u0663\u0663.jsonl", "x" * 200):
        (journal / name).write_bytes(b"\n".join(DAMAGED))
    (output / "report.jsonl").write_bytes(b"\n".join(DAMAGED))
    places = LocalFolder(str(tree)), LocalFolder(str(output))
    counts = Batch(*places, settings).run(ThreadExecutor())
    assert (counts.done, counts.failed) == (3, 1)
    assert Batch(*places, settings).run(ThreadExecutor()).skipped == 3
    assert set(rows(output)) == {"a.png", "b #1.jpg", "ünï [2].webp", "bad.jpg"}


class Dies:
    """An executor that ends before it did anything."""

    def __init__(self, *, remote):
        self.remote = remote

    def __call__(self, parts, context, started, *, careful):
        assert (started is None) == self.remote
        raise KeyboardInterrupt
        yield


@pytest.mark.parametrize("remote", [True, False])
def test_names_are_claimed_before_workers_elsewhere_begin(tree, tmp_path, settings, remote):
    output = tmp_path / "out"
    output.mkdir()
    (output / "b #1.jpg").write_bytes(b"somebody's")
    batch = Batch(LocalFolder(str(tree)), LocalFolder(str(output)), settings)
    with pytest.raises(KeyboardInterrupt):
        batch.run(Dies(remote=remote))
    claimed = {name for name, row in rows(output).items() if row["status"] == "started"}
    assert claimed == ({"a.png", "bad.jpg", "ünï [2].webp"} if remote else set())
    (output / "a.png").write_bytes(b"of a worker, or somebody's")
    counts = enlarge_folder(tree, output, settings)
    assert (counts.done, counts.failed) == ((2, 2) if remote else (1, 3))
    assert (output / "b #1.jpg").read_bytes() == b"somebody's"


def test_a_report_that_is_a_link_or_a_pipe(tree, tmp_path, settings):
    output, victim = tmp_path / "out", tmp_path / "victim"
    victim.write_text("mine")
    output.mkdir()
    (output / "report.jsonl").symlink_to(victim)
    assert enlarge_folder(tree, output, settings).done == 3
    assert victim.read_text() == "mine"
    assert not (output / "report.jsonl").is_symlink()
    assert len(rows(output)) == 4
    (output / "report.jsonl").unlink()
    os.mkfifo(output / "report.jsonl")
    with pytest.raises(OutputError, match=r"report\.jsonl: .*"):
        enlarge_folder(tree, output, settings)
    with pytest.raises(OutputError, match=r"report\.jsonl: it is no file"):
        Batch(LocalFolder(str(tree)), LocalFolder(str(output)), settings)


def test_bands_are_not_written_through_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".clearzoom-bands-1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="it is a link; remove it"):
        LocalFolder(str(tmp_path / "out")).write(".clearzoom-bands-1/0-16", b"x")
    assert list((tmp_path / "elsewhere").iterdir()) == []
