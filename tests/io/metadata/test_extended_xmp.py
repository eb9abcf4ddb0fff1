"""XMP of JPEG that needs more than one segment, or seems to."""

import hashlib
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clearzoom.io.metadata.blocks import Metadata, read_metadata
from clearzoom.io.metadata.extended_xmp import LONGEST_PACKET, joined_xmp, split_xmp
from clearzoom.io.metadata.provenance import Provenance, with_provenance
from clearzoom.io.picture import Picture
from clearzoom.io.writing import write_picture

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC, PHOTOSHOP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/photoshop/1.0/"
PROVENANCE = Provenance("clearzoom 1", "photo x4", "ab" * 32, "4", "onnxruntime fp32")
HEAD = b"http://ns.adobe.com/xmp/extension/\0"


def packet(inside="", attributes="", padding=0):
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" xmlns:dc="{DC}" xmlns:photoshop="{PHOTOSHOP}"'
        f" {attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
        + " " * padding
        + '<?xpacket end="w"?>'
    ).encode()


LONG = "a long history; " * 12_000
LARGE = packet(
    f"<photoshop:History>{LONG}</photoshop:History><dc:source>kept</dc:source>", 'dc:format="x"'
)
MAIN, PIECES = split_xmp(LARGE)


def segments(path):
    """Of a JPEG, by another reader than the one that is tried."""
    with Image.open(path) as picture:
        return [data for name, data in picture.applist if name == "APP1"]


def said(xmp):
    """All that it says, by name."""
    found = {}
    for each in ElementTree.fromstring(xmp).iter(f"{{{RDF}}}Description"):
        found |= {key: value for key, value in each.attrib.items() if RDF not in key}
        found |= {child.tag: child.text for child in each}
    return found


def test_a_long_packet_becomes_an_extension_and_is_read_whole(tmp_path, photo):
    xmp = with_provenance(LARGE, PROVENANCE)
    assert (
        write_picture(tmp_path / "p.jpg", Picture(photo[:9, :9], metadata=Metadata(xmp=xmp))) == []
    )
    main, *pieces = segments(tmp_path / "p.jpg")
    assert len(main) <= LONGEST_PACKET + 29
    assert b"photo x4" in main
    assert b"<dc:source>kept" in main
    assert [piece.startswith(HEAD) for piece in pieces] == [True, True, True]
    # As the specification has it: the whole's MD5, its length, the place of the piece.
    whole = b"".join(piece[75:] for piece in pieces)
    assert pieces[0][35:67].decode() == hashlib.md5(whole).hexdigest().upper()
    assert f'HasExtendedXMP="{hashlib.md5(whole).hexdigest().upper()}"'.encode() in main
    assert [int.from_bytes(piece[67:71]) for piece in pieces] == [len(whole)] * 3
    assert int.from_bytes(pieces[1][71:75]) == len(pieces[0]) - 75
    kept, problems = read_metadata(tmp_path / "p.jpg")
    assert said(kept.xmp) == said(xmp)
    assert problems == []


def test_an_extension_goes_to_formats_that_have_room(tmp_path, photo):
    write_picture(tmp_path / "p.jpg", Picture(photo[:9, :9], metadata=Metadata(xmp=LARGE)))
    kept, _ = read_metadata(tmp_path / "p.jpg")
    assert b"HasExtendedXMP" not in kept.xmp
    for suffix in (".png", ".webp", ".tif", ".avif"):
        path = tmp_path / f"p{suffix}"
        assert write_picture(path, Picture(photo[:9, :9], metadata=kept)) == []
        assert said(read_metadata(path)[0].xmp) == said(LARGE)


def test_pieces_come_in_any_order_and_a_missing_one_is_said():
    main, pieces = split_xmp(LARGE)
    there = [("APP1", piece) for piece in pieces]
    for order in (there, there[::-1]):
        joined, problems = joined_xmp(main, order)
        assert (said(joined), problems) == (said(LARGE), [])
    others = [("APP1", HEAD + b"0" * 32 + pieces[0][67:]), ("APP2", pieces[0])]
    for some in (there[1:], there[:-1], [], others):
        joined, (problem,) = joined_xmp(main, some)
        assert said(joined) == {f"{{{DC}}}source": "kept", f"{{{DC}}}format": "x"}
        assert "the extended part of XMP could not be read" in problem


def test_a_packet_of_padding_is_kept_with_how_it_was_made(tmp_path, photo):
    xmp = packet("<dc:source>kept</dc:source>", padding=70_000)
    for before in (xmp, with_provenance(xmp, PROVENANCE)):
        picture = Picture(photo[:9, :9], metadata=Metadata(xmp=before))
        assert write_picture(tmp_path / "p.jpg", picture) == []
        assert said(read_metadata(tmp_path / "p.jpg")[0].xmp) == said(before)


def test_many_short_properties_are_split_too():
    inside = "".join(f"<dc:p{number}>{'x' * 50}</dc:p{number}>" for number in range(3000))
    main, pieces = split_xmp(with_provenance(packet(inside), PROVENANCE))
    assert len(main) <= LONGEST_PACKET
    assert b"photo x4" in main
    joined, _ = joined_xmp(main, [("APP1", piece) for piece in pieces])
    assert len(said(joined)) == 3000 + 6


def test_what_cannot_be_split_is_said(tmp_path, photo):
    xmp = packet(attributes=f'xmlns:long="{"u" * 70_000}"')
    with pytest.raises(ValueError, match="main part"):
        split_xmp(xmp)
    (problem,) = write_picture(
        tmp_path / "p.jpg", Picture(photo[:9, :9], metadata=Metadata(xmp=xmp))
    )
    assert "does not fit a JPEG" in problem


@given(st.lists(st.binary(max_size=20), max_size=3))
def test_any_pieces_are_read_or_said(tails):
    spoilt = [("APP1", PIECES[0][:60] + tail) for tail in tails]
    joined, problems = joined_xmp(MAIN, spoilt)
    assert len(problems) == 1
    assert b"kept" in joined
