"""Notes of an ONNX file that anyone can have written."""

import onnx
import pytest

import clearzoom
from clearzoom.engines.notes import grid_of, read_notes
from clearzoom.errors import WeightsError
from clearzoom.pipeline.networks import scales_for
from clearzoom.weights import FOLDER

SOUND = {"scale": "2", "halo_px": "8", "tile_px": "64"}


@pytest.fixture
def noted(tmp_path):
    """Writes the released fast x2 with other notes."""

    def write(notes):
        model = onnx.load(FOLDER / "fast-x2.onnx")
        del model.metadata_props[:]
        onnx.helper.set_model_props(model, notes)
        path = tmp_path / "net.onnx"
        onnx.save(model, path)
        return path

    return write


def test_notes_are_those_that_onnx_reads(noted):
    for path in (noted(SOUND | {"名": "値 \0"}), FOLDER / "photo-x4.onnx"):
        theirs = {each.key: each.value for each in onnx.load(path).metadata_props}
        assert read_notes(path) == theirs


@pytest.mark.parametrize("name", SOUND)
def test_a_note_that_is_no_number_is_said(noted, name):
    for value in ("abc", "", "-2", "2.5", "٤", "1_0", "9" * 5000, "0x4", "nan", "70000000"):
        path = noted(SOUND | {name: value})
        for call in (
            lambda path=path: scales_for(str(path)),
            lambda path=path: clearzoom.load_network(str(path), 2),
        ):
            with pytest.raises(WeightsError, match=f"its note {name} is"):
                call()


def test_a_file_without_notes_is_refused_before_an_engine_sees_it(noted):
    path = noted({"scale": "2", "halo_px": "8"})
    with pytest.raises(WeightsError, match="no 'tile_px'; add networks from elsewhere"):
        grid_of(read_notes(path), path)


@pytest.mark.parametrize("content", [b"", b"text", b"\x00" * 99, b"\xff" * 99, b"r\x7f"])
def test_what_is_no_onnx_is_said(tmp_path, content):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"net\.onnx"):
        clearzoom.load_network(str(path), 2)


def test_a_note_that_is_no_text_is_said(noted):
    path = noted(SOUND | {"name": "abcdef"})
    path.write_bytes(path.read_bytes().replace(b"abcdef", b"\xff\xfe\xff\xfe\xff\xfe"))
    with pytest.raises(WeightsError, match="damaged or no ONNX"):
        read_notes(path)
