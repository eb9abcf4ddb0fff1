import io

import numpy as np
import pytest
from PIL import Image, ImageCms

import clearzoom
from clearzoom.errors import InputError
from clearzoom.io.reading import read_picture


@pytest.fixture
def enlarge(small_weights):
    return lambda picture, **options: clearzoom.enlarge(picture, 2, str(small_weights), **options)


@pytest.fixture
def opened(photo):
    """A picture as Pillow opens it, of a format and with what it states."""

    def open_as(kind, **options):
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(photo[:20, :30])).save(file, kind, **options)
        return Image.open(io.BytesIO(file.getvalue()))

    return open_as


def camera(orientation=1):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    exif[0x011A] = exif[0x011B] = 300.0
    exif[0x0128] = 2
    exif.get_ifd(0x8769).update({0x9003: "2026:01:02 03:04:05", 0xA002: 30, 0xA003: 20})
    exif.get_ifd(0x8825)[1] = "N"
    stored = Image.Exif()  # Pillow writes the directories into TIFF only if they were read
    stored.load(exif.tobytes())
    return stored


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_exif_stays_and_describes_the_result(enlarge, opened, kind, orientation):
    larger = enlarge(opened(kind, exif=camera(orientation)))
    size = (40, 60) if orientation == 6 and kind != "AVIF" else (60, 40)
    if kind != "AVIF" or orientation != 6:  # Pillow's decoder of AVIF turns the picture itself
        assert larger.size == size
    exif = larger.getexif()
    assert exif[0x010F].rstrip("\0") == "Maker"
    assert exif.get(0x0112, 1) == 1
    below = exif.get_ifd(0x8769)
    assert below[0x9003].rstrip("\0") == "2026:01:02 03:04:05"
    if 0xA002 in below:
        assert (below[0xA002], below[0xA003]) == larger.size
    assert exif.get_ifd(0x8825)[1].rstrip("\0") == "N"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_once_and_its_result_too(enlarge, opened, tmp_path, orientation):
    picture = opened("PNG", exif=camera(orientation))
    larger = enlarge(picture)
    picture.save(tmp_path / "p.png", exif=picture.getexif())
    as_file = read_picture(enlarge(tmp_path / "p.png")).samples
    np.testing.assert_array_equal(np.asarray(larger), as_file)
    larger.save(tmp_path / "again.jpg", exif=larger.getexif())
    with Image.open(tmp_path / "again.jpg") as again:
        assert again.getexif().get(0x0112, 1) == 1
    assert enlarge(larger).size == tuple(2 * side for side in larger.size)


def test_what_a_program_changed_in_exif_counts(enlarge, opened):
    picture = opened("JPEG", exif=camera())
    picture.getexif()[0x010F] = "Somebody"
    assert enlarge(picture).getexif()[0x010F] == "Somebody"
    plain = Image.new("RGB", (30, 20))
    plain.getexif()[0x0112] = 6
    plain.getexif()[0x010F] = "Me"
    larger = enlarge(plain)
    assert (larger.size, larger.getexif()[0x010F], larger.getexif()[0x0112]) == ((40, 60), "Me", 1)


def test_maker_notes_stay_where_they_are(enlarge, opened):
    """Their offsets count from the beginning of EXIF."""
    exif = camera(6)
    exif.get_ifd(0x8769)[0x927C] = b"notes of a maker"
    picture = opened("JPEG", exif=exif)
    before, after = picture.info["exif"], enlarge(picture).info["exif"]
    assert after.index(b"notes of a maker") == before.index(b"notes of a maker")
    assert len(after) == len(before)


def test_damaged_exif_is_no_error(enlarge):
    picture = Image.new("RGB", (30, 20))
    for block in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff"):
        picture.info["exif"] = block
        assert enlarge(picture).size == (60, 40)


def test_xmp_states_the_model_and_the_old_fields(enlarge, opened):
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="negative 7"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    larger = enlarge(opened("JPEG", xmp=packet))
    assert larger.size == (40, 60)  # Pillow, too, turns it by what XMP states
    assert b"negative 7" in larger.info["xmp"]
    assert b'Orientation="6"' not in larger.info["xmp"]
    assert b"clearzoom" in larger.info["xmp"]
    assert b"clearzoom" in enlarge(Image.new("L", (9, 9))).info["xmp"]


def test_pillow_writes_what_the_docs_tell_it_to(enlarge, opened, tmp_path):
    larger = enlarge(opened("JPEG", exif=camera(6), dpi=(300, 300)))
    kept = {"exif": larger.getexif(), "xmp": larger.info["xmp"], "dpi": larger.info["dpi"]}
    larger.save(tmp_path / "large.jpg", **kept)
    read = read_picture(tmp_path / "large.jpg")
    assert read.dpi == (300, 300)
    assert read.samples.shape == (60, 40, 3)
    assert b"clearzoom" in read.metadata.xmp
    assert b"Maker" in read.metadata.exif


def test_metadata_can_be_stripped(enlarge, opened):
    larger = enlarge(opened("JPEG", exif=camera(6), dpi=(300, 300)), metadata="strip")
    assert larger.size == (40, 60)
    assert len(larger.getexif()) == 0
    assert larger.info["dpi"] == (300, 300)


def test_resolutions_turn_with_the_picture_and_a_print_sets_them(opened, small_weights):
    picture = opened("PNG", dpi=(300, 200))
    picture.getexif()[0x0112] = 6
    larger = clearzoom.enlarge(picture, 2, str(small_weights))
    assert larger.info["dpi"] == pytest.approx((200, 300), abs=0.01)
    size = clearzoom.Print(10, 15, dpi=150)
    printed = clearzoom.enlarge(picture, model=str(small_weights), print_size=size)
    assert (printed.size, printed.info["dpi"]) == ((59, 89), (150, 150))
    picture.info["dpi"] = ("many", None)
    assert "dpi" not in clearzoom.enlarge(picture, 2, str(small_weights)).info


def test_a_profile_s_tones_count_as_in_a_file(enlarge, opened, tmp_path):
    """The network sees sRGB's tones, whatever the profile's are."""
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (linear, wide):
        picture = opened("PNG", icc_profile=profile)
        picture.save(tmp_path / "p.png")
        as_file = read_picture(enlarge(tmp_path / "p.png", output=tmp_path / "o.png"))
        larger = enlarge(picture)
        np.testing.assert_array_equal(np.asarray(larger), as_file.samples)
        assert larger.info["icc_profile"] == profile


def test_a_big_endian_picture_of_16_bit_is_enlarged(enlarge):
    levels = np.arange(0, 60_000, 3000, dtype=np.uint16).reshape(4, 5)
    picture = Image.frombytes("I;16B", (5, 4), levels.astype(">u2").tobytes())
    larger = enlarge(picture)
    assert (larger.mode, larger.size) == ("I;16", (10, 8))
    np.testing.assert_array_equal(np.asarray(larger), enlarge(levels))


def test_a_mode_without_a_known_range_is_refused_with_what_keeps_its_levels(enlarge):
    whole = Image.new("I", (5, 4), 40_000)
    with pytest.raises(InputError, match=r'of mode I; give picture\.convert\("I;16"\) if white is'):
        enlarge(whole)
    np.testing.assert_array_equal(np.asarray(enlarge(whole.convert("I;16"))), 40_000)
    np.testing.assert_array_equal(np.asarray(enlarge(Image.new("I", (5, 4), 99).convert("L"))), 99)
    with pytest.raises(
        InputError, match=r"of mode F; give numpy\.asarray\(picture\), brought into"
    ):
        enlarge(Image.new("F", (5, 4), 0.5))
