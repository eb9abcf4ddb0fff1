"""From file to file: what metadata says of places is true for a result that was turned or cut."""

import io
import struct
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from clearzoom.core.targets import Wanted, parse_print
from clearzoom.io.metadata.blocks import read_metadata
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings

SECRET = b"what was cut away"
GPANO = "{http://ns.google.com/photos/1.0/panorama/}"
AREA = "{http://ns.adobe.com/xmp/sType/Area#}"
SIZE = "{http://ns.adobe.com/xap/1.0/sType/Dimensions#}"
NAMES = ("FullPanoWidth", "FullPanoHeight", "CroppedAreaImageWidth", "CroppedAreaImageHeight")
PLACES = ("CroppedAreaLeft", "CroppedAreaTop")
XMP = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:GPano="{GPANO[1:-1]}"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="{AREA[1:-1]}" xmlns:stDim="{SIZE[1:-1]}"
 GPano:FullPanoWidthPixels="160" GPano:FullPanoHeightPixels="80"
 GPano:CroppedAreaImageWidthPixels="40" GPano:CroppedAreaImageHeightPixels="30"
 GPano:CroppedAreaLeftPixels="60" GPano:CroppedAreaTopPixels="20">
 <xmp:Thumbnails><rdf:Alt><rdf:li xmpGImg:image="{SECRET.decode()}"/></rdf:Alt></xmp:Thumbnails>
 <mwg-rs:Regions rdf:parseType="Resource">
  <mwg-rs:AppliedToDimensions stDim:w="40" stDim:h="30" stDim:unit="pixel"/>
  <mwg-rs:RegionList><rdf:Bag><rdf:li rdf:parseType="Resource">
   <mwg-rs:Area stArea:x="0.25" stArea:y="0.5" stArea:w="0.1" stArea:h="0.2"/>
  </rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
</rdf:Description></rdf:RDF></x:xmpmeta>""".encode()
IPTC = b"\x1c\x02\x78\x00\x05A cat" + b"\x1c\x02\xca\x00\x11" + SECRET


def camera(orientation):
    """An EXIF block with the subject's place and a thumbnail that shows all."""
    exif = Image.Exif()
    exif.update({0x0100: 40, 0x0101: 30, 0x0112: orientation})
    exif.get_ifd(0x8769).update({0x9214: (10, 15, 4, 6), 0xA002: 40, 0xA003: 30})
    tiff = bytearray(exif.tobytes().removeprefix(b"Exif\0\0"))
    order = "<" if tiff.startswith(b"II") else ">"
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, first)
    small = io.BytesIO()
    Image.new("RGB", (8, 6)).save(small, "JPEG", comment=SECRET)
    struct.pack_into(f"{order}I", tiff, first + 2 + 12 * count, len(tiff))
    at, data = len(tiff) + 30, small.getvalue()
    entries = struct.pack(f"{order}HHIIHHII", 0x0201, 4, 1, at, 0x0202, 4, 1, len(data))
    return bytes(tiff + struct.pack(f"{order}H", 2) + entries + bytes(4) + data)


@pytest.fixture
def source(tmp_path, photo):
    def written(orientation):
        path = tmp_path / "in.jpg"
        stored = Image.fromarray(np.ascontiguousarray(photo[:30, :40]))
        stored.save(path, exif=b"Exif\0\0" + camera(orientation), xmp=XMP, quality=95)
        resource = b"Photoshop 3.0\08BIM\x04\x04\0\0" + len(IPTC).to_bytes(4) + IPTC
        segment = b"\xff\xed" + (len(resource) + 3).to_bytes(2) + resource + b"\0"
        whole = path.read_bytes()
        path.write_bytes(whole[:2] + segment + whole[2:])
        return path

    return written


def seen(path):
    """Of XMP: the panorama, the face, the size it counts in; of EXIF: the subject, the size."""
    metadata, _ = read_metadata(path)
    root = ElementTree.fromstring(metadata.xmp)
    attributes = {key: value for each in root.iter() for key, value in each.attrib.items()}
    exif = Image.Exif()
    exif.load(metadata.exif)
    inner = exif.get_ifd(0x8769)
    return (
        [int(attributes[f"{GPANO}{name}Pixels"]) for name in (*NAMES, *PLACES)],
        [float(attributes[f"{AREA}{name}"]) for name in "xywh"],
        [int(attributes[f"{SIZE}{name}"]) for name in "wh"],
        inner[0x9214],
        (inner[0xA002], inner[0xA003]),
    )


WHOLE = ([320, 160, 80, 60, 120, 40], [0.25, 0.5, 0.1, 0.2], [80, 60], (20, 30, 8, 12), (80, 60))
PART = ([320, 160, 40, 30, 124, 60], [0.4, 1 / 3, 0.2, 0.4], [40, 30], (16, 10, 8, 12), (40, 30))
TURNED = ([160, 320, 60, 80, 60, 120], [0.5, 0.25, 0.2, 0.1], [60, 80], (30, 20, 12, 8), (60, 80))
FILLED = (
    [320, 160, 60, 60, 130, 40],
    [1 / 6, 0.5, 0.4 / 3, 0.2],
    [60, 60],
    (10, 30, 8, 12),
    (60, 60),
)

CASES = {
    "whole": (1, Wanted(2), None, WHOLE),
    "part": (1, Wanted(2), (2, 10, 20, 15), PART),
    "turned": (6, Wanted(2), None, TURNED),
    "filled": (1, Wanted(width_px=60, height_px=60, fitting="fill"), None, FILLED),
    "print": (1, Wanted(sheet=parse_print("1x1in@60dpi"), fitting="fill"), None, FILLED),
}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
@pytest.mark.parametrize("case", CASES)
def test_places_are_the_results_and_what_was_cut_away_is_nowhere(tmp_path, source, case, suffix):
    orientation, wanted, preview, expected = CASES[case]
    target = tmp_path / f"out{suffix}"
    path = source(orientation)
    assert path.read_bytes().count(SECRET) == 3
    done = run_job(plan_job(path, target, Settings(wanted, "fast"), preview=preview))
    panorama, face, size, subject, stated = seen(target)
    assert (panorama, size, subject, stated) == (expected[0], *expected[2:])
    assert face == pytest.approx(expected[1], abs=1e-5)
    assert (done.width_px, done.height_px) == expected[4]
    if case == "whole":
        assert SECRET in target.read_bytes()
    else:
        assert SECRET not in target.read_bytes()
        if suffix in (".jpg", ".png", ".tif"):
            assert read_metadata(target)[0].iptc == IPTC[:10]


def test_what_lies_beside_a_picture_is_said_in_the_plan_and_gone_from_the_result(tmp_path, photo):
    path = tmp_path / "in.jpg"
    xmp = XMP.replace(
        b'rdf:about=""',
        b'rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"',
    )
    Image.fromarray(photo[:30, :40]).save(path, xmp=xmp)
    job = plan_job(path, tmp_path / "out.jpg", Settings(Wanted(2), "fast"))
    (note,) = (note for note in job.notes if "gain map" in note)
    assert note in run_job(job).notes
    assert b"hdrgm:Version" not in (tmp_path / "out.jpg").read_bytes()
    assert b"GPano" in (tmp_path / "out.jpg").read_bytes()
