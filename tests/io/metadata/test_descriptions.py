"""What microscopes' and other programs' descriptions say of sizes is true for the result."""

import json
import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clearzoom.core.targets import Wanted, parse_print
from clearzoom.io.metadata.blocks import read_metadata
from clearzoom.io.metadata.descriptions import measures, placed_description
from clearzoom.io.metadata.exif_description import description_of, with_description
from clearzoom.io.metadata.ome import parsed_ome
from clearzoom.io.placement import Placement
from clearzoom.io.reading import open_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings

OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"
TURNED = Placement((30, 40), 6, (60, 80), (10, 20), (50, 40))


def enlarged(source, target, wanted=None, **how):
    return run_job(plan_job(source, target, Settings(wanted or Wanted(2))), **how)


@pytest.fixture
def ome(tmp_path, photo):
    def written(dtype=np.uint8):
        samples = photo[:30, :40, 1].astype(dtype) * (257 if dtype == np.uint16 else 1)
        sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.25}
        tifffile.imwrite(
            tmp_path / "in.ome.tif",
            samples,
            ome=True,
            metadata={"axes": "YX", **sizes, "PhysicalSizeYUnit": "nm"},
            resolution=(20_000, 40_000),
            resolutionunit="CENTIMETER",
        )
        return tmp_path / "in.ome.tif"

    return written


def pixels_of(text):
    return ElementTree.fromstring(text).find(f"{OME}Image/{OME}Pixels").attrib


def test_ome_says_the_sizes_of_the_result(tmp_path, ome):
    assert enlarged(ome(), tmp_path / "o.ome.tif").notes == ()
    with tifffile.TiffFile(tmp_path / "o.ome.tif") as read:
        assert read.is_ome
        assert read.series[0].shape == read.asarray().shape == (60, 80)
        said = pixels_of(read.ome_metadata)
        # A centimetre of what was seen has twice as many px.
        resolution = read.pages[0].get_resolution(unit="CENTIMETER")
    assert (said["SizeX"], said["SizeY"], said["Type"]) == ("80", "60", "uint8")
    assert (said["PhysicalSizeX"], said["PhysicalSizeXUnit"]) == ("0.25", "µm")
    assert (said["PhysicalSizeY"], said["PhysicalSizeYUnit"]) == ("0.125", "nm")
    np.testing.assert_allclose(resolution, (40_000, 80_000), rtol=1e-5)


def test_ome_in_jpeg_says_that_samples_have_8_bit(tmp_path, ome):
    enlarged(ome(np.uint16), tmp_path / "o.jpg")
    said = pixels_of(description_of(read_metadata(tmp_path / "o.jpg")[0].exif))
    assert (said["SizeX"], said["SizeY"], said["Type"]) == ("80", "60", "uint8")


def test_ome_of_a_turned_and_cut_picture(tmp_path):
    text = (
        f'<OME xmlns="{OME[1:-1]}" UUID="urn:uuid:1"><Image ID="Image:0"><Pixels SizeX="40" '
        'SizeY="30" PhysicalSizeX="0.5" PhysicalSizeXUnit="µm"><TiffData><UUID FileName="a.tif">'
        'urn:uuid:1</UUID></TiffData><Plane PositionX="5" TheZ="0"/></Pixels></Image>'
        '<ROI><Union><Point X="20" Y="15"/><Rectangle X="10" Y="5" Width="4" Height="2"/>'
        '<Ellipse X="20" Y="15" RadiusX="4" RadiusY="2"/><Polygon Points="20,15 22,15 22,18"/>'
        '<Line X1="20" Y1="15" X2="24" Y2="15"/><Mask X="1" Y="1" Width="2" Height="2"/>'
        '<Point X="-40" Y="-30"/></Union></ROI></OME>'
    )
    placed, notes = placed_description(text, TURNED, keeps_unit=True)
    assert notes == [
        "the stage's position in OME-XML is not kept: the picture was cut",
        "2 regions of OME-XML are not kept",
    ]
    said = pixels_of(placed)
    # The old columns are the new rows.
    assert (said["PhysicalSizeY"], said["PhysicalSizeYUnit"]) == ("0.25", "µm")
    assert "PhysicalSizeX" not in said
    assert (said["SizeX"], said["SizeY"]) == ("50", "40")
    assert "uuid" not in placed.lower()
    (union,) = ElementTree.fromstring(placed).iter(f"{OME}Union")
    shapes = [{**each.attrib} for each in union]
    # (x, y) of 40x30 px becomes (30 - y, x) of 30x40, twice that, less what was cut.
    assert shapes == [
        {"X": "20", "Y": "20"},
        {"X": "36", "Y": "0", "Width": "4", "Height": "8"},
        {"X": "20", "Y": "20", "RadiusX": "4", "RadiusY": "8"},
        {"Points": "20,20 20,24 14,24"},
        {"X1": "20", "Y1": "20", "X2": "20", "Y2": "28"},
    ]


def test_ome_of_several_pictures_is_named():
    pixels = '<Image><Pixels SizeX="40" SizeY="30"/></Image>'
    text = f'<OME xmlns="{OME[1:-1]}">{pixels * 2}</OME>'
    assert placed_description(text, TURNED, keeps_unit=True) == (
        "",
        ["OME-XML of 2 pictures is not kept: the result is one of them"],
    )


@pytest.fixture
def imagej(tmp_path, photo):
    tifffile.imwrite(
        tmp_path / "in.tif",
        photo[:30, :40, 1].astype(np.uint16) * 257,
        imagej=True,
        resolution=(2, 3),
        metadata={"unit": "um", "axes": "YX", "min": 7.0, "xorigin": 10.0},
    )
    return tmp_path / "in.tif"


def test_imagejs_scale_is_that_of_the_result(tmp_path, imagej):
    assert enlarged(imagej, tmp_path / "o.tif").notes == ()
    with tifffile.TiffFile(tmp_path / "o.tif") as read:
        assert read.is_imagej
        tags = read.pages[0].tags
        assert (tags["XResolution"].value, tags["YResolution"].value) == ((4, 1), (6, 1))
        assert tags["ResolutionUnit"].value == 1
        said = read.imagej_metadata
    assert (said["unit"], said["min"], said["xorigin"], said["yorigin"]) == ("um", 7, 20, 0)
    assert open_picture(tmp_path / "o.tif").dpi is None


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_imagejs_scale_is_named_where_it_has_no_place(tmp_path, imagej, suffix):
    done = enlarged(imagej, tmp_path / f"o{suffix}")
    assert any(
        note.endswith("has no place for the scale of 4 and 6 px per um") for note in done.notes
    )
    text = description_of(read_metadata(tmp_path / f"o{suffix}")[0].exif)
    assert ("min=" in text) == (suffix == ".png")


def test_a_resolution_that_is_asked_for_takes_the_place_of_imagejs_scale(tmp_path, imagej):
    wanted = Wanted(sheet=parse_print("1x0.75in@100dpi"))
    done = enlarged(imagej, tmp_path / "o.tif", wanted)
    assert (
        "the scale of 2 and 3 px per um is not kept: the result has the resolution that you chose"
        in done.notes
    )
    np.testing.assert_allclose(open_picture(tmp_path / "o.tif").dpi, 100, atol=1e-4)
    assert "unit" not in description_of(read_metadata(tmp_path / "o.tif")[0].exif)


def test_the_shape_of_a_px_without_a_unit_is_kept_or_named(tmp_path, photo):
    tifffile.imwrite(tmp_path / "in.tif", photo[:9, :9], resolution=(1, 2), resolutionunit=1)
    assert enlarged(tmp_path / "in.tif", tmp_path / "o.tif").notes == ()
    with Image.open(tmp_path / "o.tif") as read:
        assert (read.tag_v2[282], read.tag_v2[283], read.tag_v2[296]) == (2, 4, 1)
    done = enlarged(tmp_path / "in.tif", tmp_path / "o.png")
    assert "PNG has no place for the shape of its px, 2 to 4" in done.notes


def shaped(path, photo, suffix):
    """A picture, of which three px down are as long as one across, without saying how long."""
    Image.fromarray(photo[:9, :9]).save(path)
    content = path.read_bytes()
    assert open_picture(path).metadata.calibration is None
    if suffix == ".jpg":
        content = content[:13] + struct.pack(">BHH", 0, 2, 6) + content[18:]
    elif suffix == ".png":
        data = b"pHYs" + struct.pack(">IIB", 2, 6, 0)
        check = struct.pack(">I", zlib.crc32(data))
        content = content[:33] + struct.pack(">I", 9) + data + check + content[33:]
    else:
        content = content[:12] + bytes([3 * 64 - 15]) + content[13:]
    path.write_bytes(content)
    return path


def test_the_shape_of_a_px_in_jpeg_png_and_gif_is_kept_or_named(tmp_path, photo):
    for suffix in (".jpg", ".png", ".gif"):
        source = open_picture(shaped(tmp_path / f"p{suffix}", photo, suffix))
        shape = source.metadata.calibration
        assert (shape.y / shape.x, shape.unit, source.notes) == (3, "", ())
    assert enlarged(tmp_path / "p.png", tmp_path / "o.tif").notes == ()
    with Image.open(tmp_path / "o.tif") as read:
        assert (read.tag_v2[282], read.tag_v2[283], read.tag_v2[296]) == (4, 12, 1)
    done = enlarged(tmp_path / "p.jpg", tmp_path / "o.jpg")
    assert "JPEG has no place for the shape of its px, 4 to 12" in done.notes
    frames = [Image.fromarray(photo[at : at + 9, :9]) for at in (0, 9)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=50)
    content = (tmp_path / "a.gif").read_bytes()
    (tmp_path / "a.gif").write_bytes(content[:12] + bytes([2 * 64 - 15]) + content[13:])
    done = enlarged(tmp_path / "a.gif", tmp_path / "o.gif")
    assert "GIF has no place for the shape of its px, 128 to 256" in done.notes


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3)])
def test_the_shape_that_tifffile_reads_is_that_of_the_result(tmp_path, photo, shape):
    samples = photo[:30, :40].reshape(30, 40, 3)[..., : 3 if len(shape) == 3 else 1]
    tifffile.imwrite(tmp_path / "in.tif", samples.reshape(shape))
    enlarged(tmp_path / "in.tif", tmp_path / "o.tif")
    with tifffile.TiffFile(tmp_path / "o.tif") as read:
        said = json.loads(read.pages[0].description)
        assert said["shape"] == [60, 80, *shape[2:]] == list(read.asarray().shape)
    other = json.dumps({"shape": [5, 6, 7]})
    assert placed_description(other, TURNED, keeps_unit=True)[0] == ""


@pytest.mark.parametrize("text", ["Aperio Image Library\n46000x32914", "<MetaData></MetaData>"])
def test_descriptions_of_scanners_are_named(text):
    placed, (note,) = placed_description(text, TURNED, keeps_unit=True)
    assert (placed, note.endswith("its sizes were the input's")) == ("", True)


@pytest.mark.parametrize("text", ["a cat", "{a cat}", "OME", "<OME", '{"a": 1}', "<a>OME</a>"])
def test_plain_words_stay(text):
    assert placed_description(text, TURNED, keeps_unit=True) == (text, [])
    assert not measures(text)


def test_entities_are_not_followed():
    text = '<!DOCTYPE a [<!ENTITY b "c">]><OME><Image><Pixels/></Image>&b;</OME>'
    assert parsed_ome(text) is None


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("text", ["", "abc", "Zoë's cat", "n" * 70_000])
def test_a_description_is_replaced_and_nothing_else_moves(order, text):
    exif = Image.Exif()
    exif.endian = order
    exif.update({0x010E: "before", 0x010F: "Canon"})
    exif.get_ifd(0x8769)[0x927C] = b"MAKERNOTE" * 9
    before = exif.tobytes().removeprefix(b"Exif\0\0")
    after = with_description(before, text)
    assert (description_of(before), description_of(after)) == ("before", text)
    assert after[26:122] == before[26:122]
    read = Image.Exif()
    read.load(after)
    assert (read[0x010F], read.get_ifd(0x8769)[0x927C]) == ("Canon", b"MAKERNOTE" * 9)


@pytest.mark.slow
@given(st.text(max_size=60))
def test_any_description_is_placed_or_left_out(text):
    shape = '<OME><Image><Pixels SizeX="{0}" PhysicalSizeX="{0}"/></Image><Union><A X="{0}" '
    odd = shape + 'Y="{0}" Points="{0}" Width="{0}" Height="{0}"/></Union></OME>'
    for each in (text, "ImageJ=" + text, f"ImageJ=1\nxorigin={text}\n", odd.format(text)):
        placed_description(each, TURNED, keeps_unit=False)


def test_what_is_not_read_of_a_big_endian_bigtiff_is_named(tmp_path, photo):
    options = {"bigtiff": True, "byteorder": ">", "metadata": None}
    tifffile.imwrite(tmp_path / "p.tif", photo[:9, :9], software=False, **options)
    assert open_picture(tmp_path / "p.tif").notes == ()
    more = [(700, 1, 4, b"<x/>", True), (270, 2, 0, "a cat", True)]
    tifffile.imwrite(tmp_path / "p.tif", photo[:9, :9], extratags=more, software=False, **options)
    said = "metadata could not be read: what its tags say in words, XMP"
    assert open_picture(tmp_path / "p.tif").notes == (said,)


def test_tags_without_a_place_are_named(tmp_path, photo):
    more = [(65_000, 2, 0, "kept", True), (65_001, 1, 2, struct.pack("2B", 1, 2), True)]
    tifffile.imwrite(tmp_path / "p.tif", photo[:9, :9], metadata=None, extratags=more)
    assert open_picture(tmp_path / "p.tif").notes == ("not kept of the TIFF: tag 65001",)
    assert b"kept" in open_picture(tmp_path / "p.tif").metadata.exif
