import errno
import os
import threading
import time
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.server.locks import KeyedLock
from clearzoom.server.tiles.cache import Cache


def test_what_was_put_is_there_for_other_processes(tmp_path):
    Cache(tmp_path, 100, 10**6).put("a", b"content")
    assert Cache(tmp_path, 100, 10**6).get("a") == b"content"
    assert Cache(tmp_path, 100, 10**6).get("b") is None


def test_a_damaged_file_counts_as_missing(tmp_path):
    Cache(tmp_path, 100, 10**6).put("a", b"content")
    (file,) = tmp_path.glob("??/*")
    for damaged in (file.read_bytes()[:-1], b"", b"1234content"):
        file.write_bytes(damaged)
        assert Cache(tmp_path, 100, 10**6).get("a") is None


def test_a_disk_that_cannot_be_written_costs_nothing_but_the_disk(tmp_path, caplog):
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file", 100, 10**6)
    cache.put("a", b"content")
    assert cache.get("a") == b"content"
    assert "cannot be written" in caplog.text


def test_a_full_disk_gives_up_half_and_complains_once(tmp_path, caplog, monkeypatch):
    cache = Cache(tmp_path, 100, 10**6)
    for number in range(10):
        cache.put(str(number), bytes(1000))
        os.utime(
            max(tmp_path.glob("??/*"), key=lambda path: path.stat().st_mtime), (number, number)
        )

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        for _ in range(5):
            cache.put("more", bytes(1000))
    assert len(list(tmp_path.glob("??/*"))) == 5
    assert len(caplog.records) == 1
    cache.put("more", b"fits now")
    assert Cache(tmp_path, 100, 10**6).get("more") == b"fits now"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=40))
def test_memory_is_bounded_and_what_is_given_is_what_was_put_last(tmp_path_factory, puts):
    cache = Cache(tmp_path_factory.mktemp("c"), 100, 10**6)
    last = {}
    for key, size in puts:
        last[key] = bytes([key]) * size
        cache.put(str(key), last[key])
        assert sum(map(len, cache._memory.values())) == cache._held_bytes <= 100
    for key, content in last.items():
        assert cache.get(str(key)) == content


def test_the_disk_is_bounded_and_what_was_used_last_stays(tmp_path):
    import os

    cache = Cache(tmp_path, 1, 100_000)
    for i in range(300):
        cache.put(str(i), bytes(1000))
        old = time.time() - 10_000 + i
        os.utime(cache._path(str(i)), (old, old))
    held = [i for i in range(300) if cache.get(str(i)) is not None]
    assert sum(file.stat().st_size for file in tmp_path.glob("??/*")) <= 110_000
    assert held == list(range(300 - len(held), 300))


def _compute(folder, counts, key):
    with KeyedLock(folder / "locks").hold(key, lambda: None):
        made = folder / f"made-{key}"
        if not made.exists():
            time.sleep(0.05)
            with counts.open("a") as file:
                file.write(f"{key}\n")
            made.touch()


@pytest.mark.slow
def test_once_among_processes(tmp_path):
    context = get_context("spawn")
    counts = tmp_path / "counts"
    processes = [
        context.Process(target=_compute, args=(tmp_path, counts, key))
        for key in ("a", "b", "a", "a")
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert sorted(counts.read_text().split()) == ["a", "b"]


def test_once_among_threads_and_nothing_stays_locked(tmp_path):
    locks = KeyedLock(tmp_path / "locks")
    inside, most = [0], [0]

    def work():
        with locks.hold("a", lambda: None):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.01)
            inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert not locks._locks


def test_waiting_ends_where_the_check_raises(tmp_path):
    locks = KeyedLock(tmp_path / "locks")

    def abandoned():
        raise InterruptedError

    for other in (locks, KeyedLock(tmp_path / "locks")):  # of this process, and as of another
        with locks.hold("a", lambda: None):
            with pytest.raises(InterruptedError), other.hold("a", abandoned):
                pass
            with other.hold("b", abandoned):
                pass
    with locks.hold("a", abandoned):
        pass
