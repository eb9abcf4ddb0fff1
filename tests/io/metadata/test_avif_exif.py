"""EXIF of AVIF is the camera's, byte for byte, maker notes and long ones too."""

import numpy as np
import pytest
import pyvips
from PIL import Image

from clearzoom.io.avif import replace_exif
from clearzoom.io.metadata.blocks import Metadata, read_metadata
from clearzoom.io.picture import Picture
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.writing import write_picture


def camera(note):
    exif = Image.Exif()
    exif.update({0x010F: "Canon", 0x0112: 1, 282: 300.0, 283: 300.0, 296: 2})
    exif.get_ifd(0x8769)[0x927C] = note
    return exif.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("length", [9, 3000, 100_000])
def test_makers_notes_stay_to_the_byte(tmp_path, photo, length):
    exif = camera(np.random.default_rng(0).bytes(length))
    metadata = Metadata(
        exif,
        b"".join(
            [
                b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF ',
                b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>',
            ]
        ),
    )
    path = tmp_path / "p.avif"
    picture = Picture(photo[:40, :50], dpi=(300.0, 300.0), metadata=metadata)
    assert write_picture(path, picture) == []
    assert read_metadata(path) == (metadata, [])
    with Image.open(path) as read:  # by libavif
        assert read.info["exif"].removeprefix(b"Exif\0\0") == exif
        assert np.abs(np.asarray(read, float) - photo[:40, :50]).mean() < 6
    # And by libheif, which libvips uses.
    assert bytes(pyvips.Image.new_from_file(str(path)).get("exif-data")) == b"Exif\0\0" + exif
    assert decode(open_picture(path)).shape == (40, 50, 3)
    assert open_picture(path).dpi == (300, 300)


def test_what_stood_in_is_gone(tmp_path, photo):
    path = tmp_path / "p.avif"
    write_picture(path, Picture(photo[:40, :50], metadata=Metadata(camera(b"note" * 9))))
    whole = path.read_bytes()
    assert whole.count(b"Exif\0\0MM\0*") == 1  # Pillow's blocks are of this order, libvips' not
    assert b"II*\0" not in whole


def test_a_file_of_another_build_is_refused(tmp_path, photo):
    path = tmp_path / "p.avif"
    Image.fromarray(photo[:40, :50]).save(path)  # without EXIF
    for spoilt in (path.read_bytes(), b"", b"\0\0\0\x10ftypavif"):
        path.write_bytes(spoilt)
        with pytest.raises(ValueError, match="EXIF has no place"):
            replace_exif(path, b"II*\0")
        assert path.read_bytes() == spoilt
