import os
import signal
import subprocess
import sys

import pytest

from clearzoom.errors import OutputError
from clearzoom.io.atomic import file_beside, whole_file
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.picture import Picture
from clearzoom.io.writing import write_picture


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


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_when_the_disk_takes_no_more_nothing_is_left(tmp_path, suffix):
    target = tmp_path / f"out{suffix}"
    done = subprocess.run(
        [sys.executable, "-c", FULL, target], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"cannot write {target}")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def as_root():
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")


def rights(path):
    return path.stat().st_mode & 0o777


def test_what_was_private_stays_private(tmp_path):
    for mode in (0o600, 0o640, 0o444, 0o200):
        target = tmp_path / "out.png"
        target.unlink(missing_ok=True)
        target.write_text("old")
        target.chmod(mode)
        with whole_file(target) as temporary:
            assert rights(temporary) == 0o600  # also before it is whole
            with file_beside(temporary, ".tif") as spool:
                assert rights(spool) == 0o600
            temporary.write_text("new")
        assert rights(target) == mode
    link = tmp_path / "link.png"
    target.chmod(0o600)
    link.symlink_to(target)
    with whole_file(link) as temporary:
        temporary.write_text("newer")
    assert not link.is_symlink()
    assert rights(link) == 0o600
    target.chmod(0o600)
    assert target.read_text() == "new"


def test_a_written_picture_keeps_the_rights_of_the_older(tmp_path, photo):
    for suffix in (".png", ".jpg", ".webp", ".tif", ".gif"):
        target = tmp_path / f"out{suffix}"
        target.touch(0o600)
        write_picture(target, Picture(photo[:20, :30], metadata=Metadata(xmp=b"<x/>")))
        assert rights(target) == 0o600, suffix
        assert target.stat().st_size > 0


def test_owner_and_group_stay_where_they_can(tmp_path, as_root):
    target = tmp_path / "out.txt"
    target.write_text("old")
    os.chown(target, 65534, 65534)
    target.chmod(0o640)
    with whole_file(target) as temporary:
        temporary.write_text("new")
    found = target.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (65534, 65534, 0o640)
    # Who is not of the group must not open it to another group.
    folder = tmp_path / "of nobody"
    folder.mkdir()
    shared = folder / "shared.txt"
    shared.write_text("old")
    os.chown(folder, 65534, 65534)
    os.chown(shared, 65534, 0)
    shared.chmod(0o640)
    script = (
        "import os, sys; from pathlib import Path; from clearzoom.io.atomic import whole_file\n"
        "os.chdir(sys.argv[1]); os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "with whole_file(Path('shared.txt')) as temporary: temporary.write_text('new')"
    )
    subprocess.run([sys.executable, "-c", script, folder], check=True)
    assert (shared.stat().st_gid, rights(shared)) == (65534, 0o600)


def test_new_files_have_the_rights_that_the_umask_leaves(tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from clearzoom.io.atomic import whole_file\n"
        "os.umask(int(sys.argv[2], 8))\n"
        "del os.umask\n"  # it cannot be read without setting it, for all threads
        "with whole_file(Path(sys.argv[1])) as temporary: temporary.write_text('new')"
    )
    for umask, wanted in (("077", 0o600), ("002", 0o664), ("027", 0o640)):
        target = tmp_path / umask
        subprocess.run([sys.executable, "-c", script, target, umask], check=True)
        assert rights(target) == wanted


def test_names_that_others_made_up_are_no_processes(tmp_path):
    target = tmp_path / "out.txt"
    with whole_file(target) as temporary:
        start = temporary.name.partition(f"-{os.getpid()}-")[0]
        temporary.write_text("new")
    names = [f"{start}-{number}-x" for number in ("9" * 30, "0", "\u0663", "-1", "x")]
    for name in names:
        (tmp_path / name).touch()
    with whole_file(target) as temporary:
        temporary.write_text("newer")
    assert target.read_text() == "newer"
    assert not (tmp_path / names[0]).exists()
