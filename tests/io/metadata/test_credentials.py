"""Content credentials (C2PA) are named, wherever a format holds them, and XMP leads to none."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from clearzoom.io.metadata.blocks import read_metadata
from clearzoom.io.metadata.credentials import CREDENTIALS
from clearzoom.io.reading import open_picture

BOX = b"\0\0\0\x30jumb\0\0\0\x28jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03c2pa\0"
UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def xmp(provenance):
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/"'
        f' dcterms:title="kept" dcterms:provenance="{provenance}"/></rdf:RDF></x:xmpmeta>'
    ).encode()


def encoded(photo, kind, **options):
    written = io.BytesIO()
    Image.fromarray(photo[:16, :16]).save(written, kind, **options)
    return written.getvalue()


def with_credentials(photo, suffix):
    """The bytes of a picture that holds them."""
    if suffix == ".jpg":
        plain = encoded(photo, "JPEG")
        data = b"JP\0\1\0\0\0\1" + BOX
        return plain[:2] + b"\xff\xeb" + struct.pack(">H", len(data) + 2) + data + plain[2:]
    if suffix == ".png":
        plain = encoded(photo, "PNG")
        chunk = b"caBX" + BOX
        packed = struct.pack(">I", len(BOX)) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return plain[:33] + packed + plain[33:]
    if suffix == ".webp":
        plain = encoded(photo, "WEBP", exif=b"Exif\0\0MM") + b"C2PA" + struct.pack("<I", len(BOX))
        plain += BOX + b"\0" * (len(BOX) % 2)
        return plain[:4] + struct.pack("<I", len(plain) - 8) + plain[8:]
    if suffix == ".gif":
        plain = encoded(photo, "GIF")
        block = b"\x21\xff\x0bC2PA_GIF\1\0\0" + bytes([len(BOX)]) + BOX + b"\0"
        return plain[:-1] + block + plain[-1:]
    if suffix == ".tif":
        written = io.BytesIO()
        tag = (52545, 7, len(BOX), BOX, True)
        tifffile.imwrite(written, np.ascontiguousarray(photo[:16, :16]), extratags=[tag])
        return written.getvalue()
    kind = "AVIF" if suffix == ".avif" else "HEIF"
    box = struct.pack(">I4s", 24 + len(BOX), b"uuid") + UUID + BOX
    return encoded(photo, kind) + box


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif", ".tif", ".avif", ".heic"])
def test_they_are_named(tmp_path, photo, suffix):
    if suffix == ".heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    path = tmp_path / f"p{suffix}"
    content = with_credentials(photo, suffix)
    path.write_bytes(content)
    assert list(open_picture(path).notes) == [CREDENTIALS]
    marks = {".png": (b"caBX", b"caBY"), ".webp": (b"C2PA", b"C3PA"), ".gif": (b"C2PA", b"C3PA")}
    marks |= {".tif": (struct.pack("<HH", 52545, 7), struct.pack("<HH", 33432, 7))}
    old, new = marks.get(suffix, (BOX, BOX.replace(b"c2pa", b"c3pa")))
    if suffix in (".avif", ".heic"):
        old, new = UUID, bytes(16)
    changed = content.replace(old, new, 1)
    path.write_bytes(changed)
    assert CREDENTIALS not in read_metadata(path)[1]


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_xmp_does_not_lead_to_them_any_more(tmp_path, photo, suffix):
    path = tmp_path / f"p{suffix}"
    for said, kept in (
        ("self#jumbf=/c2pa/urn:uuid:1", False),
        ("https://cai-manifests.adobe.com/manifests/adobe-urn-uuid-1", False),
        ("Bought by the museum in 1920", True),
    ):
        Image.fromarray(photo[:16, :16]).save(path, xmp=xmp(said))
        metadata, notes = read_metadata(path)
        assert notes == ([] if kept else [CREDENTIALS])
        assert (b"dcterms:provenance" in metadata.xmp) == kept
        assert b'dcterms:title="kept"' in metadata.xmp
