"""Pictures in an object store, worked on by this machine: what a folder gives, byte for byte."""

import json
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace

import pytest
from helpers.s3_server import folder_content, objects, put_folder, s3_server, store

from clearzoom.batch.batch import Batch, ThreadExecutor, enlarge_folder
from clearzoom.batch.object_store import ObjectStore, storage_of
from clearzoom.batch.storage import LocalFolder
from clearzoom.batch.task import BatchContext
from clearzoom.batch.worker import Part, Worker, setup_of
from clearzoom.core.targets import Wanted
from clearzoom.errors import (
    FullDiskError,
    InputError,
    MissingFileError,
    OutputError,
    StoreError,
)
from clearzoom.pipeline.settings import Settings

pytestmark = pytest.mark.cluster


@pytest.fixture
def settings(small_weights):
    return Settings(Wanted(2.0), str(small_weights))  # as the command has it


@pytest.fixture
def bucket(s3_environment, archive, request):
    """A new bucket with the archive in it."""
    name = request.node.name.replace("_", "-").lower()[:60].strip("-")
    put_folder(archive, name)
    return name


def run(source, target, settings, *, recursive=True, executor=None, progress=None):
    batch = Batch(storage_of(source), storage_of(target), settings, recursive=recursive)
    return batch.run(executor or ThreadExecutor(), progress)


class OneWorker:
    """An executor of one worker, as each of a cluster is; it lists the bands before the joins."""

    remote = True

    def __init__(self, bucket):
        self.bucket, self.joined = bucket, []

    def __call__(self, parts, context, started, *, careful):
        assert started is None
        if isinstance(parts[0], Part) and parts[0].band is None:
            found = store().find(self.bucket)
            self.joined.extend(name for name in found if ".clearzoom-bands-" in name)
        worker = Worker(setup_of(context, split_px=100_000, at_once=1))
        for index, part in enumerate(parts):
            yield (index, *worker.process(part))


def without_places(results):
    """Give the results with errors that name no folder."""
    rows = [json.loads(line) for line in results["report.jsonl"].splitlines()]
    for row in rows:
        if "error" in row:
            row["error"] = row["error"].partition(" is ")[2]
    return results | {"report.jsonl": rows}


def test_an_object_store_gets_what_a_folder_gets(archive, bucket, tmp_path, settings, monkeypatch):
    enlarge_folder(archive, tmp_path / "out", settings, recursive=True)
    whole = folder_content(tmp_path / "out")
    seen, executor = [], OneWorker(bucket)
    monkeypatch.setattr("clearzoom.batch.bands._BAND_BYTES", 200_000)
    places = f"s3://{bucket}", f"s3://{bucket}/out"
    counts = run(*places, settings, executor=executor, progress=lambda *at: seen.append(at))
    assert len(executor.joined) > 3
    assert (counts.done, counts.skipped, counts.failed) == (18, 0, 1)
    assert seen[-1][:2] == (19, 19)
    ours = objects(f"{bucket}/out")
    assert without_places(ours) == without_places(whole)
    assert f"s3://{bucket}/bad.jpg is no picture" in ours["report.jsonl"].decode()
    again = run(f"s3://{bucket}", f"s3://{bucket}/out", settings)
    assert (again.done, again.skipped, again.failed) == (0, 18, 1)
    assert objects(f"{bucket}/out") == ours
    store().pipe_file(f"{bucket}/a.png", (archive / "below/deeper/d.png").read_bytes())
    store().rm_file(f"{bucket}/out/b #1.jpg")
    assert run(f"s3://{bucket}", f"s3://{bucket}/out", settings).done == 2
    # From the store into a folder, and the other way round.
    run(f"s3://{bucket}/small", str(tmp_path / "small"), settings)
    got = folder_content(tmp_path / "small")
    assert all(got[name] == whole[f"small/{name}"] for name in got if name.endswith(".png"))
    run(str(archive / "small"), f"s3://{bucket}/small-again", settings)
    assert objects(f"{bucket}/small-again") == got


def test_the_folder_command_and_this_one_go_on_from_each_other(archive, tmp_path, settings):
    enlarge_folder(archive, tmp_path / "out", settings)
    whole = folder_content(tmp_path / "out")
    counts = run(str(archive), str(tmp_path / "out"), settings)
    assert (counts.done, counts.skipped, counts.failed) == (14, 4, 1)
    assert enlarge_folder(archive, tmp_path / "out", settings, recursive=True).skipped == 18
    unlike = {"report.jsonl"}
    assert all(folder_content(tmp_path / "out")[name] == whole[name] for name in {*whole} - unlike)


def test_what_is_in_the_way_is_kept(bucket, settings):
    store().pipe_file(f"{bucket}/out/a.png", b"somebody's")
    for _ in range(2):
        assert run(f"s3://{bucket}", f"s3://{bucket}/out", settings, recursive=False).failed == 2
        assert store().cat_file(f"{bucket}/out/a.png") == b"somebody's"
    assert b"exists and was not made here" in store().cat_file(f"{bucket}/out/report.jsonl")


def test_what_cannot_be_meant_is_refused(bucket, settings, tmp_path):
    with pytest.raises(InputError, match="the input itself"):
        run(f"s3://{bucket}", f"s3://{bucket}/", settings)
    with pytest.raises(InputError, match="name a folder"):
        run(f"s3://{bucket}", f"s3://{bucket}/o.png", settings)
    with pytest.raises(MissingFileError, match=r"no picture .* in s3://"):
        run(f"s3://{bucket}/nothing", str(tmp_path / "o"), settings)
    with pytest.raises(MissingFileError, match=r"there is no bucket no-such-bucket; check"):
        run("s3://no-such-bucket/scans", str(tmp_path / "o"), settings)
    with pytest.raises(MissingFileError, match=rf"one object; name the folder .*, s3://{bucket}$"):
        run(f"s3://{bucket}/a.png", str(tmp_path / "o"), settings)
    with pytest.raises(OutputError, match=r"cannot write s3://no-such-bucket/.*make the bucket"):
        run(f"s3://{bucket}", "s3://no-such-bucket", settings)
    with pytest.raises(InputError, match="cannot understand"):
        run("nonsense://x/y", str(tmp_path / "o"), settings)
    with pytest.raises(InputError, match=r"^an address with a password would be shown.*_KEY$"):
        run("s3://key:secret@bucket/a", str(tmp_path / "o"), settings)
    with pytest.raises(InputError, match="no bucket's name") as caught:
        run("s3://my bucket/a", str(tmp_path / "o"), settings)
    assert caught.value.code == "input"  # to repeat it does not help
    with pytest.raises(InputError, match="names no folder"):
        run("s3://", str(tmp_path / "o"), settings)
    for name in ("d/x.png", "d/d/x.png"):
        store().pipe_file(f"{bucket}/{name}", store().cat_file(f"{bucket}/a.png"))
    with pytest.raises(InputError, match="would replace the picture"):
        run(f"s3://{bucket}/d", f"s3://{bucket}", settings)


def test_killed_it_goes_on_and_the_bytes_are_the_same(archive, bucket, tmp_path, settings):
    enlarge_folder(archive, tmp_path / "out", settings, recursive=True)
    whole = folder_content(tmp_path / "out")
    wanted = [sys.executable, "-m", "clearzoom", "batch", f"s3://{bucket}", f"s3://{bucket}/out"]
    wanted += ["--scale", "2", "--model", settings.model, "--recursive"]
    for ending in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        before = len(store().find(f"{bucket}/out"))
        process = subprocess.Popen(wanted, stderr=subprocess.PIPE, text=True)
        while len(store().find(f"{bucket}/out")) < before + 3:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(ending)
        _, heard = process.communicate(timeout=60)
        there = objects(f"{bucket}/out")
        assert all(whole[n] == there[n] for n in there if n.endswith(("png", "tif", "webp")))
        if ending != signal.SIGKILL:
            assert process.returncode == 128 + ending
            assert "repeat the command to continue" in heard
            kept = b"".join(v for n, v in objects(f"{bucket}/out").items() if "-report/" in n)
            assert b'"done"' in kept
    finished = subprocess.run(wanted, capture_output=True, text=True)
    assert finished.returncode == 3, finished.stderr
    ours, expected = without_places(objects(f"{bucket}/out")), without_places(whole)
    assert not [row for row in ours["report.jsonl"] if row not in expected["report.jsonl"]]
    assert ours == expected


def test_places_are_told_apart():
    assert isinstance(storage_of("C:/scans"), LocalFolder)
    assert isinstance(storage_of("file:///scans"), LocalFolder)
    assert isinstance(storage_of("s3://bucket/scans"), ObjectStore)


def test_a_folder_means_the_same_to_another_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there = pickle.dumps(LocalFolder("in/"))
    monkeypatch.chdir("/")
    place = pickle.loads(there)
    assert place.path("a.png") == tmp_path / "in" / "a.png"
    assert place.without_copies(f"no file {place.path('a.png')}; look") == "no file in/a.png; look"


def test_the_same_is_left_out_of_a_store_as_of_a_folder(
    s3_environment, tmp_path, settings, archive
):
    source, content = tmp_path / "in", (archive / "a.png").read_bytes()
    names = ["a.PNG", "scan", "._a.PNG", ".hidden/b.png", "LICENSE", "c.psd", "below/d.png"]
    for name in (*names, "below/.DS_Store", "below/.trash/e.png"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    for name in ("LICENSE", "below/.DS_Store"):
        (source / name).write_text("no picture")
    put_folder(source, "left-out")
    for recursive, done in ((True, 3), (False, 2)):
        wanted = replace(settings, format="webp")
        output = tmp_path / f"out-{recursive}"
        counts = enlarge_folder(source, output, wanted, recursive=recursive)
        assert counts.done == done
        place = f"s3://left-out-{recursive}".lower()
        store().mkdir(place)
        theirs = run("s3://left-out", place, wanted, recursive=recursive)
        assert sorted(theirs.left_out) == sorted(counts.left_out)
        assert objects(place.removeprefix("s3://")) == folder_content(output)
    store().pipe_file("left-out/scan", b"II*\0 no picture")
    again = run("s3://left-out", "s3://left-out-true", settings)
    assert again.failed == 1


def test_names_that_no_file_can_have_lead_nowhere(s3_environment, archive, tmp_path, settings):
    content, outside = (archive / "a.png").read_bytes(), tmp_path / "outside.png"
    names = (str(outside), "//x.png", "in/..//y.png", "in/../z.png", "good.png")
    store().mkdir("odd-names")
    for name in names:  # the first is a whole path of this machine
        with store().open(f"odd-names/in/{name}", "wb") as file:
            file.write(content)
    there = [name.removeprefix("odd-names/in/") for name in store().find("odd-names/in")]
    assert {str(outside), "good.png"} <= {*there}
    for recursive in (True, False):
        output = tmp_path / f"out-{recursive}"
        counts = run("s3://odd-names/in", str(output), settings, recursive=recursive)
        assert (counts.done, counts.failed) == (1, 0)
        assert {*folder_content(output)} == {"good.png", "report.jsonl"}
        assert ("unusable name" in counts.left_out) == recursive
    assert not outside.exists()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, r"check the network, and AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL": "127.0.0.1:1"}, r"write AWS_ENDPOINT_URL with http:// or https://"),
        ({"AWS_PROFILE": "nobody"}, r"check AWS_PROFILE"),
        ({"AWS_ACCESS_KEY_ID": ""}, r"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_a_store_out_of_reach_is_an_error_of_its_own(
    s3_environment, settings, tmp_path, archive, monkeypatch, variables, said
):
    import s3fs

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(StoreError, match=said) as caught:
            run("s3://museum", str(tmp_path / "out"), settings)
        assert (caught.value.code, caught.value.exit_status) == ("store", 11)
        with pytest.raises(OutputError, match=said):
            run(str(archive), "s3://museum/out", settings)
    finally:
        s3fs.S3FileSystem.clear_instance_cache()


def test_wrong_keys_are_told_from_a_picture_that_cannot_be_read(tmp_path, settings, monkeypatch):
    monkeypatch.setenv("INITIAL_NO_AUTH_ACTION_COUNT", "0")  # moto checks keys from now on
    with (
        s3_server(),
        pytest.raises(StoreError, match=r"cannot list s3://b: .*; check the credentials"),
    ):
        run("s3://b", str(tmp_path / "out"), settings)


def test_no_room_for_copies_is_no_full_store(bucket, settings, monkeypatch):
    """The disk of temporary files is another's, and the store has none."""
    target = storage_of(f"s3://{bucket}/out")
    full = FullDiskError(f"cannot write {target.path('a.png')}: the disk is full; make room on it")
    context = BatchContext.of(storage_of(f"s3://{bucket}"), target, settings)
    monkeypatch.setattr(tempfile, "tempdir", "/small")
    said = context.failure(full)["error"]
    assert said == (
        "no room for a copy in the folder /small for temporary files; make room, or set TMPDIR to "
        "another folder"
    )
    here = BatchContext.of(LocalFolder("in"), LocalFolder("out"), settings)
    assert here.failure(full)["error"] == str(full)
