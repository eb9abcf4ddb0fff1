import os
import threading
from contextlib import suppress

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
        with pytest.raises(OutputError, match="another process makes"):
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
