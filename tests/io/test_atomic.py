import os
import signal
import subprocess
import sys

import pytest

from clearzoom.errors import OutputError
from clearzoom.io.atomic import whole_file


def test_the_file_appears_whole_with_ordinary_rights(tmp_path):
    target = tmp_path / "out.txt"
    with whole_file(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]
    plain = tmp_path / "plain"
    plain.touch()
    assert target.stat().st_mode == plain.stat().st_mode


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(target) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_missing_is_one_clear_error(tmp_path):
    with pytest.raises(OutputError, match="No such file"), whole_file(tmp_path / "no" / "x.png"):
        pass


WRITER = """
import sys, time
from pathlib import Path
from clearzoom.io.atomic import whole_file
with whole_file(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_killed_while_writing_the_old_file_stays(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    writer = subprocess.Popen([sys.executable, "-c", WRITER, target], stdout=subprocess.PIPE)
    assert writer.stdout.readline() == b"writing\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert target.read_text() == "old"


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from clearzoom.errors import OutputError
from clearzoom.io.picture import Picture
from clearzoom.io.writing import write_picture
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
noise = np.random.default_rng(0).integers(256, size=(400, 400, 3)).astype(np.uint8)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_picture(Path(sys.argv[1]), Picture(noise))
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_when_the_disk_takes_no_more_nothing_is_left(tmp_path, suffix):
    target = tmp_path / f"out{suffix}"
    done = subprocess.run(
        [sys.executable, "-c", FULL, target], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"cannot write {target}")
    assert list(tmp_path.iterdir()) == []
