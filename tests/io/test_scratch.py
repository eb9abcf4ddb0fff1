import os
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from clearzoom.errors import OutputError
from clearzoom.io.scratch import scratch


def test_it_stays_when_stopped_and_goes_when_done(tmp_path):
    with suppress(KeyboardInterrupt), scratch(tmp_path / "o.png", "ab") as own:
        own.finished("1/0", own.picture("1", (4, 4, 3), np.uint8, cmyk=False))
        raise KeyboardInterrupt
    with scratch(tmp_path / "o.png", "ab") as own:
        assert own.has("1/0", own.picture("1", (4, 4, 3), np.uint8, cmyk=False))
    assert not list(tmp_path.iterdir())


def test_the_same_job_twice_at_once_is_refused(tmp_path):
    with scratch(tmp_path / "o.png", "ab") as own:
        with pytest.raises(OutputError, match="another process is writing"):
            scratch(tmp_path / "o.png", "ab").__enter__()
        assert own.folder.is_dir()
    assert not list(tmp_path.iterdir())


def test_one_that_comes_while_another_leaves_has_a_folder_of_its_own(tmp_path):
    """Each that gets in finds its own files as long as it is in; nothing is left over."""
    faults, entered = [], []

    def come_and_go():
        while len(entered) < 100:
            try:
                with scratch(tmp_path / "o.png", "ab") as own:
                    entered.append(1)
                    (own.folder / "1.tif").write_bytes(b"mine")
                    own.finished("1/0", np.zeros((2, 2, 3), np.uint8))
                    journal = (own.folder / "journal").stat().st_ino
                    if journal != os.fstat(own._journal.fileno()).st_ino:
                        faults.append("journal")
                    if (own.folder / "1.tif").read_bytes() != b"mine":
                        faults.append("picture")
            except OutputError as error:
                if "another process" not in str(error):
                    faults.append(error)
            except OSError as error:
                faults.append(error)
            if faults:
                return

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert not list(tmp_path.iterdir())


def place(beside):
    return beside.with_name(".clearzoom-cafe")


def test_it_is_private(tmp_path):
    beside = tmp_path / "out.png"
    with pytest.raises(KeyboardInterrupt), scratch(beside, "cafe") as opened:  # noqa: PT012
        opened.picture("1", (4, 5, 3), np.uint8, cmyk=False)
        raise KeyboardInterrupt
    assert place(beside).stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in place(beside).iterdir()} == {0o600}
    with scratch(beside, "cafe"):
        pass


def test_links_that_others_laid_are_not_followed(tmp_path):
    beside, victim = tmp_path / "out.png", tmp_path / "victim"
    victim.write_bytes(b"x" * 5000)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place(beside).symlink_to(elsewhere)
    with (
        pytest.raises(OutputError, match="is not of this program; remove it"),
        scratch(beside, "cafe"),
    ):
        pass
    assert list(elsewhere.iterdir()) == []
    place(beside).unlink()
    for name in ("journal", "1.tif"):
        for lay in (Path.symlink_to, Path.hardlink_to, lambda path, _: os.mkfifo(path)):
            place(beside).mkdir(0o700)
            lay(place(beside) / name, victim)
            with (
                pytest.raises(OutputError, match=r"cafe/\S+ is a link or no file; remove it"),
                scratch(beside, "cafe") as opened,
            ):
                opened.picture("1", (4, 5, 3), np.uint8, cmyk=False)
            assert victim.read_bytes() == b"x" * 5000
            for left in place(beside).glob("*"):
                left.unlink()
            if place(beside).exists():
                place(beside).rmdir()


def test_a_folder_of_another_user_is_refused(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can make one")
    beside = tmp_path / "out.png"
    place(beside).mkdir()
    os.chown(place(beside), 65534, 65534)
    with pytest.raises(OutputError, match="is not of this program"), scratch(beside, "cafe"):
        pass


def test_a_journal_that_others_wrote_makes_nothing_finished(tmp_path):
    beside = tmp_path / "out.png"
    place(beside).mkdir()
    (place(beside) / "journal").write_bytes(
        b"1/0 " + b"9" * 5000 + b"\n\xff\xfe 12\n\0\n1/1 \xd9\xa3\n" + b"1/2 1" * 9999
    )
    with scratch(beside, "cafe") as opened:
        samples = opened.picture("1", (4, 5, 3), np.uint8, cmyk=False)
        assert not any(opened.has(f"1/{number}", samples) for number in range(3))
