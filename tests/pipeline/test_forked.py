"""A fork does not get libvips' threads; that is an error, and never a wait without end."""

import os
import subprocess
import sys

import pytest
from PIL import Image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks"),
]

PROGRAM = """
import os, sys
import numpy as np
import clearzoom
from PIL import Image

if sys.argv[1] == "loaded":
    clearzoom.enlarge  # as passing the function to a pool does
array = np.zeros((8, 8, 3), np.uint8)
pictures = {"path": "p.png", "bytes": open("p.png", "rb").read(), "PIL": Image.fromarray(array),
            "array": array, "list": ["p.png"]}
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
for kind, picture in pictures.items():
    for scale in (2, 2.5):
        try:
            clearzoom.enlarge(picture, scale, "fast")
        except clearzoom.ClearzoomError as error:
            print(kind, scale, "refused" if "'spawn'" in str(error) else error)
        else:
            print(kind, scale, "done")
        if kind == "path" and os.path.exists(f"p-x{scale}.png"):
            os.remove(f"p-x{scale}.png")
try:
    clearzoom.enlarge_file("p.png", "o.png")
    print("file done")
except clearzoom.ClearzoomError as error:
    print("file refused" if "'spawn'" in str(error) else error)
"""


@pytest.mark.parametrize("loaded", ["loaded", "not loaded"])
def test_in_a_fork_what_needs_libvips_is_refused_if_it_was_loaded_before(tmp_path, loaded):
    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, loaded],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = "refused" if loaded == "loaded" else "done"
    kinds = ["path", "bytes", "PIL", "array", "list"]
    expected = [f"{kind} {scale} {said}" for kind in kinds for scale in (2, 2.5)]
    expected[kinds.index("array") * 2] = "array 2 done"  # without a resampling
    assert done.stdout.splitlines() == [*expected, f"file {said}"]
