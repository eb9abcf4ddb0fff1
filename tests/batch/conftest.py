import numpy as np
import pytest
from helpers.s3_server import s3_server

from clearzoom.io.picture import Picture
from clearzoom.io.writing import write_picture


@pytest.fixture(scope="session")
def s3_environment():
    """For as long as the tests run: a cluster's nodes inherit it when they start."""
    with s3_server() as environment:
        yield environment


@pytest.fixture(scope="session")
def archive(tmp_path_factory, photo):
    """A folder with pictures in folders, one large among them, one that is none, and a text."""
    root = tmp_path_factory.mktemp("archive")
    names = ["a.png", "b #1.jpg", "ünï [2].webp", "below/c.tif", "below/deeper/d.png"]
    names += [f"small/{index:02}.png" for index in range(12)]
    for index, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        part = np.ascontiguousarray(photo[2 * index : 2 * index + 20, index * 9 : index * 9 + 30])
        write_picture(root / name, Picture(part))
    write_picture(root / "large.png", Picture(photo[:200]))
    (root / "bad.jpg").write_text("no picture")
    (root / "notes.txt").write_text("not looked at")
    return root
