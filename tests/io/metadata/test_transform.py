"""Panoramas and named parts of pictures: enlarged, turned and cut with the picture."""

from xml.etree import ElementTree

import pytest

from clearzoom.io.metadata.polygons import clipped
from clearzoom.io.metadata.transform import transform_xmp
from clearzoom.io.metadata.xmp_packets import parsed
from clearzoom.io.placement import Placement, Rectangle

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SPACES = {
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpGImg": "http://ns.adobe.com/xap/1.0/g/img/",
    "dc": "http://purl.org/dc/elements/1.1/",
}
DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in SPACES.items())

WHOLE = Placement((400, 200), 1, (1600, 800), (0, 0), (1600, 800))
PART = Placement((400, 200), 1, (1600, 800), (400, 200), (800, 400))
"""The middle: half as wide and half as high."""
UPSIDE_DOWN = Placement((400, 200), 3, (1600, 800), (0, 0), (1600, 800))
SIDEWAYS = Placement((200, 400), 6, (800, 1600), (0, 0), (800, 1600))
"""Stored as 400x200 px, its left edge down."""


def packet(inside="", attributes=""):
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" {DECLARED} {attributes}>{inside}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def placed(xmp, placement):
    written, notes = transform_xmp(xmp, placement, None)
    return ElementTree.fromstring(written), notes


def panorama(values, form):
    said = [(f"GPano:{name}", value) for name, value in values.items()]
    if form == "attributes":
        return packet(attributes=" ".join(f'{name}="{value}"' for name, value in said))
    return packet("".join(f"<{name}>{value}</{name}>" for name, value in said))


def numbers(root, form, names):
    (said,) = root.iter(f"{{{RDF}}}Description")
    tags = [f"{{{SPACES['GPano']}}}{name}" for name in names]
    if form == "attributes":
        return [int(said.get(tag)) for tag in tags if said.get(tag) is not None]
    return [int(said.findtext(tag)) for tag in tags if said.find(tag) is not None]


SIX = (
    "FullPanoWidthPixels",
    "FullPanoHeightPixels",
    "CroppedAreaImageWidthPixels",
    "CroppedAreaImageHeightPixels",
    "CroppedAreaLeftPixels",
    "CroppedAreaTopPixels",
)


@pytest.mark.parametrize("form", ["attributes", "elements"])
@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        (WHOLE, [4000, 2000, 1600, 800, 1200, 400]),
        (PART, [4000, 2000, 800, 400, 1600, 600]),
        (UPSIDE_DOWN, [4000, 2000, 1600, 800, 1200, 800]),
        (SIDEWAYS, [2000, 4000, 800, 1600, 800, 1200]),
    ],
)
def test_a_panorama_grows_and_is_cut_with_its_picture(form, placement, expected):
    given = dict(zip(SIX, (1000, 500, 400, 200, 300, 100), strict=True))
    root, notes = placed(panorama(given | {"PoseHeadingDegrees": 7}, form), placement)
    assert numbers(root, form, SIX) == expected
    assert numbers(root, form, ["PoseHeadingDegrees"]) == [7]
    assert not notes


def test_a_panorama_of_a_reduced_picture_stays_in_its_proportion():
    given = dict(zip(SIX, (8000, 4000, 4000, 2000, 2000, 1000), strict=True))
    root, _ = placed(panorama(given, "attributes"), PART)
    assert numbers(root, "attributes", SIX) == [32000, 16000, 8000, 4000, 12000, 6000]


def test_a_panorama_that_was_whole_says_what_is_left_of_it():
    root, _ = placed(panorama({SIX[0]: 400, SIX[1]: 200}, "elements"), PART)
    assert numbers(root, "elements", SIX) == [1600, 800]
    assert numbers(root, "attributes", SIX) == [800, 400, 400, 200]


def test_the_full_rectangle_inside_of_a_panorama_is_cut():
    inside = [f"LargestValidInteriorRect{each}" for each in ("Left", "Top", "Width", "Height")]
    given = dict(zip((*SIX[2:4], *inside), (400, 200, 0, 80, 400, 40), strict=True))
    root, _ = placed(panorama(given, "attributes"), WHOLE)
    assert numbers(root, "attributes", inside) == [0, 320, 1600, 160]
    root, _ = placed(panorama(given, "attributes"), PART)
    assert numbers(root, "attributes", inside) == [0, 120, 800, 160]


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", "1e300", "-5", "1/0"])
def test_numbers_that_are_none_stay(value):
    given = panorama({SIX[0]: value, SIX[2]: value}, "attributes")
    assert (
        placed(given, PART)[0]
        .find(f".//{{{RDF}}}Description")
        .get(f"{{{SPACES['GPano']}}}{SIX[0]}")
        == value
    )


def mwg(areas, size="stDim:w='400' stDim:h='200' stDim:unit='pixel'"):
    items = "".join(
        f"<rdf:li><rdf:Description mwg-rs:Name='{name}' mwg-rs:Type='Face'>"
        f"<mwg-rs:Area {area}/></rdf:Description></rdf:li>"
        for name, area in areas.items()
    )
    return packet(
        f"<mwg-rs:Regions rdf:parseType='Resource'><mwg-rs:AppliedToDimensions {size}/>"
        f"<mwg-rs:RegionList><rdf:Bag>{items}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


def area(x, y, w=None, h=None, d=None):
    parts = {"x": x, "y": y, "w": w, "h": h, "d": d}
    said = " ".join(f"stArea:{name}='{n}'" for name, n in parts.items() if n is not None)
    return f"{said} stArea:unit='normalized'"


def seen(root):
    """Of each region its area; and the size."""
    names, size = {}, None
    for each in root.iter():
        if name := each.get(f"{{{SPACES['mwg-rs']}}}Name"):
            stated = each.find(f"{{{SPACES['mwg-rs']}}}Area").attrib
            names[name] = [
                float(stated[key])
                for part in "xywhd"
                if (key := f"{{{SPACES['stArea']}}}{part}") in stated
            ]
        if each.get(f"{{{SPACES['stDim']}}}w"):
            size = tuple(int(each.get(f"{{{SPACES['stDim']}}}{part}")) for part in "wh")
    return names, size


def test_faces_stay_where_they_are_in_an_enlarged_picture():
    given = mwg({"a": area(0.25, 0.5, 0.1, 0.2)})
    root, _ = placed(given, WHOLE)
    assert seen(root) == ({"a": [0.25, 0.5, 0.1, 0.2]}, (1600, 800))
    assert b"x='0.25'" in given
    assert b'x="0.25"' in transform_xmp(given, WHOLE, None)[0]  # to the letter


def test_faces_are_turned_with_the_picture():
    given = mwg({"a": area(0.25, 0.4, 0.1, 0.2), "p": area(0.1, 0.2), "c": area(0.1, 0.2, d=0.5)})
    root, _ = placed(given, SIDEWAYS)
    assert seen(root) == (
        {"a": [0.6, 0.25, 0.2, 0.1], "p": [0.8, 0.1], "c": [0.8, 0.1, 0.5]},
        (800, 1600),
    )
    root, _ = placed(given, UPSIDE_DOWN)
    assert seen(root)[0] == {"a": [0.75, 0.6, 0.1, 0.2], "p": [0.9, 0.8], "c": [0.9, 0.8, 0.5]}


def test_faces_that_say_that_they_are_turned_are_not_turned_again():
    given = mwg({"a": area(0.6, 0.25, 0.2, 0.1)}, "stDim:w='200' stDim:h='400' stDim:unit='pixel'")
    root, _ = placed(given, SIDEWAYS)
    assert seen(root) == ({"a": [0.6, 0.25, 0.2, 0.1]}, (800, 1600))


def test_faces_are_cut_with_the_picture_and_those_outside_go():
    areas = {
        "inside": area(0.5, 0.5, 0.25, 0.25),
        "half": area(0.25, 0.5, 0.1, 0.2),
        "outside": area(0.1, 0.1, 0.1, 0.1),
        "circle": area(0.5, 0.5, d=0.1),
        "far": area(0.9, 0.5),
    }
    root, notes = placed(mwg(areas), PART)
    assert seen(root) == (
        {
            "inside": [0.5, 0.5, 0.5, 0.5],
            "half": [0.05, 0.5, 0.1, 0.4],
            "circle": [0.5, 0.5, 0.2],
        },
        (800, 400),
    )
    assert notes == ["2 named parts of the picture lie outside of what was cut from it"]


def test_with_the_last_face_the_whole_list_goes():
    written, notes = transform_xmp(mwg({"Zoe": area(0.1, 0.1, 0.1, 0.1)}), PART, None)
    assert b"Zoe" not in written
    assert b"AppliedToDimensions" not in written
    assert len(notes) == 1


def iptc(boundary, inside=""):
    return packet(
        "<Iptc4xmpExt:ImageRegion><rdf:Bag><rdf:li rdf:parseType='Resource'>"
        f"<Iptc4xmpExt:RegionBoundary {boundary}>{inside}</Iptc4xmpExt:RegionBoundary>"
        "<Iptc4xmpExt:rId>1</Iptc4xmpExt:rId></rdf:li></rdf:Bag></Iptc4xmpExt:ImageRegion>"
    )


def rb(unit, **values):
    said = "".join(f" Iptc4xmpExt:rb{name}='{value}'" for name, value in values.items())
    return f"Iptc4xmpExt:rbUnit='{unit}'{said}"


def boundary(root, names):
    name = f"{{{SPACES['Iptc4xmpExt']}}}RegionBoundary"
    (found,) = root.iter(name)
    return [float(found.get(f"{{{SPACES['Iptc4xmpExt']}}}rb{each}")) for each in names]


@pytest.mark.parametrize(
    ("placement", "px", "shares"),
    [
        (WHOLE, [480, 160, 160, 320], [0.3, 0.2, 0.1, 0.4]),
        (UPSIDE_DOWN, [960, 320, 160, 320], [0.6, 0.4, 0.1, 0.4]),
        (SIDEWAYS, [320, 480, 320, 160], [0.4, 0.3, 0.4, 0.1]),
        (PART, [80, 0, 160, 280], [0.1, 0, 0.2, 0.7]),
    ],
)
def test_iptcs_rectangles_are_placed_in_px_and_in_shares(placement, px, shares):
    root, _ = placed(iptc(rb("pixel", X=120, Y=40, W=40, H=80)), placement)
    assert boundary(root, "XYWH") == px
    root, _ = placed(iptc(rb("relative", X=0.3, Y=0.2, W=0.1, H=0.4)), placement)
    assert boundary(root, "XYWH") == shares


def test_iptcs_circles_are_placed():
    names = ("X", "Y", "Rx")
    root, _ = placed(iptc(rb("pixel", X=200, Y=100, Rx=20)), PART)
    assert boundary(root, names) == [400, 200, 80]
    root, _ = placed(iptc(rb("relative", X=0.5, Y=0.25, Rx=0.05)), SIDEWAYS)
    assert boundary(root, names) == [0.75, 0.5, 0.1]  # of a width that is half as much
    assert placed(iptc(rb("relative", X=0.1, Y=0.25, Rx=0.05)), PART)[1]


def test_iptcs_polygons_are_cut():
    def vertices(places):
        items = "".join(f"<rdf:li Iptc4xmpExt:rbX='{x}' Iptc4xmpExt:rbY='{y}'/>" for x, y in places)
        return iptc(
            rb("relative"),
            f"<Iptc4xmpExt:rbVertices><rdf:Seq>{items}</rdf:Seq></Iptc4xmpExt:rbVertices>",
        )

    def corners(root):
        spot = f"{{{SPACES['Iptc4xmpExt']}}}rb"
        return [
            (float(each.get(f"{spot}X")), float(each.get(f"{spot}Y")))
            for each in root.iter(f"{{{RDF}}}li")
            if each.get(f"{spot}X")
        ]

    triangle = [(0.5, 0.5), (1, 0.5), (0.5, 0.75)]
    root, _ = placed(vertices(triangle), WHOLE)
    assert corners(root) == triangle
    root, _ = placed(vertices(triangle), PART)
    assert corners(root) == [(0.5, 0.5), (1, 0.5), (1, 0.75), (0.5, 1)]
    assert clipped([(2, 2), (3, 2), (2, 3)]) == []
    assert clipped([(0.5, 0.5), (3, 2)]) == [(0.5, 0.5)]


def test_faces_as_microsoft_names_them():
    def people(where):
        return packet(
            "<MP:RegionInfo rdf:parseType='Resource'><MPRI:Regions><rdf:Bag>"
            f"<rdf:li MPReg:Rectangle='{where}' MPReg:PersonDisplayName='A'/>"
            "</rdf:Bag></MPRI:Regions></MP:RegionInfo>"
        )

    assert b"0.3, 0.2, 0.1, 0.4" in transform_xmp(people("0.3, 0.2, 0.1, 0.4"), WHOLE, None)[0]
    assert b"0.4, 0.3, 0.4, 0.1" in transform_xmp(people("0.3, 0.2, 0.1, 0.4"), SIDEWAYS, None)[0]
    assert b"MP:RegionInfo" not in transform_xmp(people("0, 0, 0.1, 0.4"), PART, None)[0]


@pytest.mark.parametrize(
    ("numbers", "placement", "expected"),
    [
        ([100, 50], WHOLE, [400, 200]),
        ([100, 50, 20], WHOLE, [400, 200, 80]),
        ([100, 50, 20, 10], WHOLE, [400, 200, 80, 40]),
        ([100, 50, 20, 10], SIDEWAYS, [600, 400, 40, 80]),
        ([100, 50, 20, 10], PART, [20, 10, 40, 20]),
        ([10, 50], PART, None),
    ],
)
def test_the_subject_is_placed(numbers, placement, expected):
    items = "".join(f"<rdf:li>{number}</rdf:li>" for number in numbers)
    given = packet(f"<exif:SubjectArea><rdf:Seq>{items}</rdf:Seq></exif:SubjectArea>")
    root, notes = placed(given, placement)
    found = root.find(f".//{{{SPACES['exif']}}}SubjectArea")
    if expected is None:
        assert found is None
        assert notes
    else:
        assert [int(each.text) for each in found[0]] == expected


def thumbnails():
    image = "<rdf:li xmpGImg:width='9' xmpGImg:height='9' xmpGImg:format='JPEG' {}/>"
    return packet(
        "<xmp:Thumbnails><rdf:Alt>"
        + image.format("xmpGImg:image='/9j/SECRET'")
        + "<rdf:li rdf:parseType='Resource'><xmpGImg:image>/9j/SECRET</xmpGImg:image></rdf:li>"
        + "</rdf:Alt></xmp:Thumbnails><dc:source>kept</dc:source>"
    )


@pytest.mark.parametrize("placement", [WHOLE, PART, UPSIDE_DOWN, SIDEWAYS])
def test_small_pictures_stay_only_where_they_show_the_same(placement):
    written, _ = transform_xmp(thumbnails(), placement, None)
    assert (b"SECRET" in written) == (placement is WHOLE)
    assert (b"xmp:Thumbnails" in written) == (placement is WHOLE)
    assert b"kept" in written


def test_px_on_the_sensor_are_counted_anew():
    given = packet(attributes="exif:FocalPlaneXResolution='3000/2' exif:PixelXDimension='400'")
    written, _ = transform_xmp(given, WHOLE, None)
    assert b'FocalPlaneXResolution="6000000/1000"' in written
    assert b'PixelXDimension="1600"' in written


@pytest.mark.parametrize("orientation", range(1, 9))
def test_places_are_turned_as_px_are(orientation):
    import numpy as np
    from PIL import Image, ImageOps

    stored = np.zeros((4, 6), np.uint8)
    stored[0, 1] = 255
    picture = Image.fromarray(stored)
    picture.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(picture))
    ((row,), (column,)) = upright.nonzero()
    size = upright.shape[1], upright.shape[0]
    placement = Placement(size, orientation, size, (0, 0), size)
    assert placement.stored_px == (6, 4)
    box = placement.box_share(Rectangle(1 / 6, 0, 2 / 6, 1 / 4))
    assert (box.left * size[0], box.top * size[1]) == pytest.approx((column, row))
    assert (box.width * size[0], box.height * size[1]) == pytest.approx((1, 1))


@pytest.mark.parametrize(
    "hostile",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "a">]>',
    ],
)
def test_entities_are_refused(hostile):
    with pytest.raises(ValueError, match="document type"):
        parsed(hostile.encode() + packet("<dc:source>&a;</dc:source>"))
    with pytest.raises(ValueError, match="document type"):
        parsed(hostile.encode() + packet(), recover=True)
