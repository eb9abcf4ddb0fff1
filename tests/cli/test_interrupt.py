"""Ctrl-C on a terminal says at once what happens, and how to end sooner."""

import os
import subprocess
import sys

import pytest

_SCRIPT = """
import os, signal, time, typer
from clearzoom.cli.interrupt import stoppable
try:
    with stoppable():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
except typer.Exit as end:
    raise SystemExit(end.exit_code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_what_is_still_at_work_is_said_before_the_end():
    own, its = os.openpty()
    with subprocess.Popen([sys.executable, "-c", _SCRIPT], stderr=its) as process:
        os.close(its)
        came = b""
        try:
            while part := os.read(own, 4096):
                came += part
        except OSError:  # the end, on Linux
            pass
    os.close(own)
    assert b"stopping after the running tiles; Ctrl-C once more stops at once" in came
    assert came.rstrip().endswith(b"stopped; repeat the command to continue")
    assert process.returncode == 130
