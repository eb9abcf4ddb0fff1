"""The script of examples/darktable in a real darktable."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "examples" / "darktable" / "clearzoom.lua"

LONGEST_S = 120

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("darktable") and shutil.which("xvfb-run")),
        reason="darktable or Xvfb is not installed; run scripts/install-test-tools",
    ),
]

DRIVE = """
local dt = require "darktable"
local report = io.open("{folder}/report", "w")
local done, message = pcall(function()
  local clearzoom = dofile("{script}")
  assert(dt.new_storage("clearzoom"))
  {steps}
end)
report:write(done and "done" or tostring(message))
report:close()
"""


@pytest.fixture
def darktable(tmp_path):
    """Run Lua in darktable's window, on a screen that nobody sees; gives what it reports and says.

    darktable-cli ends when its own export does, in the middle of a script.
    """

    def run(steps):
        drive = tmp_path / "drive.lua"
        drive.write_text(DRIVE.format(folder=tmp_path, script=SCRIPT, steps=steps), "utf-8")
        folders = ["--configdir", tmp_path / "config", "--cachedir", tmp_path / "cache"]
        command = ["xvfb-run", "--auto-servernum", "darktable", "--library", ":memory:", *folders]
        command += ["--conf", "plugins/lua/disable_scripts_installer=true"]
        command += ["--luacmd", f"dofile('{drive}')"]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with (tmp_path / "said").open("w") as said:
            process = subprocess.Popen(
                command,
                env=os.environ | {"PATH": path},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        report = tmp_path / "report"
        try:
            until = time.monotonic() + LONGEST_S
            while process.poll() is None and time.monotonic() < until:
                if report.is_file() and report.read_text():
                    break
                time.sleep(0.1)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        said = (tmp_path / "said").read_text()
        assert report.is_file(), said
        return report.read_text(), said

    return run


@pytest.fixture
def source(photo, tmp_path):
    path = tmp_path / "it's a cat.png"
    Image.fromarray(np.ascontiguousarray(photo[:60, :90])).save(path)
    return path


def test_an_exported_picture_is_enlarged_and_joins_its_group(darktable, source, tmp_path):
    steps = f"""
      assert(dt.configuration.has_gui)
      assert(dt.preferences.read("clearzoom", "command", "string") == "")
      local image = dt.database.import("{source}")
      local format = dt.new_format("tiff")
      format.bpp = 16
      for _ = 1, 2 do
        format:write_image(image, "{tmp_path}/exported.tif", false)
        local larger = clearzoom.add(image, "{tmp_path}/exported.tif", "2", "fast")
        assert(larger.width == 180 and larger.height == 120)
        assert(larger.group_leader == image.group_leader)
      end
    """
    report, said = darktable(steps)
    assert report == "done", said
    names = {path.name for path in tmp_path.glob("*.tif")}
    assert names == {"it's a cat-x2.tif", "it's a cat-x2_1.tif"}
    first, second = (tmp_path / name for name in sorted(names))
    with Image.open(first) as larger, Image.open(source) as picture:
        assert larger.size == (180, 120)
        assert larger.info["icc_profile"]  # darktable's
        reduced = np.asarray(larger.convert("RGB").resize(picture.size, Image.Resampling.BOX))
        assert np.abs(reduced.astype(int) - np.asarray(picture)).mean() < 4
    assert second.is_file()


def test_a_picture_that_cannot_be_enlarged_adds_nothing(darktable, source, tmp_path):
    steps = f"""
      local image = dt.database.import("{source}")
      io.open("{tmp_path}/exported.tif", "w"):write("no picture"):close()
      assert(clearzoom.add(image, "{tmp_path}/exported.tif", "2", "fast") == nil)
      assert(#dt.database == 1)
    """
    report, said = darktable(steps)
    assert report == "done", said
    assert "error[unreadable]" in said
    assert not list(tmp_path.glob("*.tif"))
