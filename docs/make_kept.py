"""Write docs/what-is-kept.md from real round trips: python docs/make_kept.py."""

import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from clearzoom.core.targets import Wanted
from clearzoom.errors import ClearzoomError
from clearzoom.io.formats import FORMATS
from clearzoom.io.metadata.blocks import Metadata, read_metadata
from clearzoom.io.metadata.imagej import Calibration
from clearzoom.io.metadata.photoshop import Resource
from clearzoom.io.metadata.png_texts import Text
from clearzoom.io.picture import Picture
from clearzoom.io.reading import Source, open_picture, read_picture
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings

TARGET = Path(__file__).with_name("what-is-kept.md")

HEAD = """# What is kept

Made by `python docs/make_kept.py` from real round trips: a TIFF (for animation a GIF) is enlarged
into each format and read again; a test fails when the table is stale. Where it has "no", the
command gives a note or an error, never silence. Texts and comments come from a PNG.

"""

TAIL = """
- **16 bit** into an 8-bit format is rounded; AVIF has 12. **Transparency** into JPEG and
  **animation** into a format without it are refused; with `--background white` or `black` a picture
  of any format loses its transparency to that colour, with a note. **Grey** in WebP, AVIF and GIF
  is RGB with equal channels.
- **CMYK** is enlarged as it is, channel by channel. Where the format has none, it becomes RGB in
  Display P3, which loses less of it than sRGB.
- **Profiles** are written byte for byte, so colours outside of sRGB stay. Tones are shown to the
  network as sRGB would have them and turned back ([why so](decisions/0003-colour-and-metadata.md)).
- **EXIF** is changed in place: orientation, sizes, resolutions, the subject's place. Maker notes
  stay to the byte. A TIFF gets new directories, with every tag that describes the picture; its
  place on a map (GeoTIFF) is left out with a note. **XMP** is updated in the same way; what does
  not fit one segment of a JPEG goes into an extension.
- **Panoramas** (GPano), **regions** (IPTC, MWG, Microsoft's) and the subject of EXIF and XMP are
  enlarged, turned and cut with the picture. A region outside of the cut is named in a note.
- **Thumbnails** of a picture that was turned or cut are emptied, byte by byte, in EXIF, XMP and
  IPTC; if it was cut, also those within maker notes, with a note. Others stay.
- **Gain maps** (HDR), the film of a motion photo, depth maps, the second picture of a stereo pair
  and further pictures of a file are left out, as is anything else behind the end of a JPEG, PNG or
  WebP. Each is named in a note, and XMP no longer mentions them.
- **Content credentials** (C2PA) are a signed statement about the original, which does not hold for
  the result: they are left out with a note, and XMP no longer refers to them.
- A **turn that XMP alone states** is not applied, as browsers do not; a note says so, and the
  statement stays.
- **Chunks of PNG** without a place in the result (tIME, oFFs, sCAL, sTER, mDCV and private ones), a
  profile that does not fit its PNG and the still of an APNG are named in a note.
- **Texts** of PNG stay byte for byte in PNG, however large, and those behind the px too. Comments
  of PNG, JPEG and GIF stay comments in these three. Elsewhere Title, Author, Description,
  Copyright, Software and Comment go into XMP. `parameters`, by which Stable Diffusion's web page
  says how a picture was made, goes into EXIF's comment if the PNG has no EXIF. Others, such as
  `workflow` and `prompt`, are named in a note.
- **Clipping paths** of Photoshop are turned and cut with the picture, in JPEG, TIFF and PNG; its
  resolution is updated, and its thumbnail is treated as others are. Guides, slices and layers are
  named in a note, and so are other programs' own tags of a TIFF.
- **Microscopes' pictures**: OME-XML and ImageJ's description state the sizes of the result, in px
  and in units of length, and OME's regions are moved. Only TIFF has a place for ImageJ's scale in a
  unit of its own. Descriptions of slide scanners are left out with a note.
- **Colours without a profile** get one where the file states them in another way: gAMA, cHRM and
  cICP of PNG, nclx of AVIF and HEIC, Adobe RGB by EXIF's index R03. Of HDR (PQ and HLG) the levels
  stay, and a note says that no profile tells what they mean.
- **Pages** of a TIFF: the picture is read, wherever it is in the file. A smaller copy or a mask
  beside it is named in a note.
- **Animations** (GIF, APNG, WebP; AVIF sequences are read, not written) have 8 bit and RGB: a note
  says if there were more bits, or grey. The frames are those that a browser shows
  ([why so](decisions/0009-animations.md)). A frame lasts at most 655 s in GIF, which counts in
  10 ms, 16,777 s in WebP and 65,535 s in APNG; a note names longer times and any rounding.
- **Side-cars** (`photo.xmp`, `photo.jpg.xmp`) are not read: what a person added there, such as a
  rating, stays with the original. A note names them.
- A **lossless WebP** gets a lossless result with `--quality 100` alone; a note says so.
- A picture that is **itself a result** of clearzoom is named in a note: its inferred px count as
  its own.
- Where the result's name is that of a **link**, the link is replaced, and what it points to stays.
- Provenance (tool, model, hash, scale, engine) is in **XMP**, even with `--metadata strip`.
- Read, but not written: HEIC, with `pip install '.[heic]'`; BMP, PPM, PGM, PBM, TGA and
  JPEG 2000. Of those, the profiles of BMP and JPEG 2000 and the resolutions are kept. JPEG 2000 in
  colour with more than 8 bit is read with 8, and its EXIF and XMP are not read; notes say so. What
  is ambiguous (an extra channel without a meaning, CMYK and Lab in JPEG 2000, several PPM in one
  file) is refused.
"""

EXIF_DESCRIPTION, EXIF_MAKE = 0x010E, 0x010F
PATH = Resource(2000, b"cat", struct.pack(">H24xHH22xH6i", 6, 0, 1, 2, *[2**23] * 6))
"""Of one point, in the middle."""
IPTC = b"\x1c\x02\x78\x00\x0bA museum cat"


NOTE = bytes(range(256)) * 4
LONG = "a long history; " * 5000
SUBJECT = (
    "<exif:SubjectLocation><rdf:Seq><rdf:li>{}</rdf:li><rdf:li>{}</rdf:li></rdf:Seq>"
    "</exif:SubjectLocation>"
)


def packet(attributes: str, inside: str = "") -> bytes:
    """XMP of one description."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"'
        f' xmlns:exif="http://ns.adobe.com/exif/1.0/" {attributes}>{inside}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def exif(description: str = "", note: bytes = b"") -> bytes:
    """A camera's."""
    block = Image.Exif()
    if description:
        block[EXIF_DESCRIPTION] = description
    block.update({EXIF_MAKE: "Canon", 0x0112: 1, 282: 300.0, 283: 300.0, 296: 2})
    block.get_ifd(0x8769).update({0x9003: "2020:01:02 03:04:05"})
    if note:
        block.get_ifd(0x8769)[0x927C] = note
    return block.tobytes().removeprefix(b"Exif\0\0")


def samples(channels: int, dtype: type = np.uint8) -> np.ndarray:
    """Twelve by sixteen px of soft colours."""
    random = np.random.default_rng(0)
    top = np.iinfo(dtype).max
    return (random.random((12, 16, channels)) * top * 0.5 + top * 0.25).astype(dtype)


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

CASES: dict[str, tuple[Picture, Callable[[Path, Source], bool]]] = {
    "16 bit": (Picture(samples(3, np.uint16)), lambda path, seen: seen.deep),
    "grey": (Picture(samples(1)), lambda path, seen: seen.channels <= 2),
    "transparency": (Picture(samples(4)), lambda path, seen: seen.has_alpha),
    "CMYK": (Picture(samples(4), cmyk=True), lambda path, seen: seen.cmyk),
    "profile": (
        Picture(samples(3), icc_profile=PROFILE),
        lambda path, seen: seen.icc_profile == PROFILE,
    ),
    "dpi": (
        Picture(samples(3), dpi=(300.0, 300.0)),
        lambda path, seen: seen.dpi is not None and abs(seen.dpi[0] - 300) < 0.1,
    ),
    "EXIF": (
        Picture(samples(3), metadata=Metadata(exif=exif())),
        lambda path, seen: b"2020:01:02" in (read_metadata(path)[0].exif or b""),
    ),
    "XMP": (
        Picture(samples(3)),
        lambda path, seen: b"clearzoom" in (read_metadata(path)[0].xmp or b""),
    ),
    "IPTC": (
        Picture(samples(3), metadata=Metadata(iptc=IPTC)),
        lambda path, seen: read_metadata(path)[0].iptc == IPTC,
    ),
    "clipping path": (
        Picture(samples(3), metadata=Metadata(photoshop=PATH.packed())),
        lambda path, seen: read_metadata(path)[0].photoshop == PATH.packed(),
    ),
    "px per micrometre": (
        Picture(
            samples(3),
            metadata=Metadata(
                exif=exif("ImageJ=1\nunit=um\n"), calibration=Calibration(2, 2, "um")
            ),
        ),
        lambda path, seen: read_metadata(path)[0].calibration == Calibration(4, 4, "um"),
    ),
    "shape of px": (
        Picture(samples(3), metadata=Metadata(calibration=Calibration(1, 2, ""))),
        lambda path, seen: seen.metadata.calibration == Calibration(2, 4, ""),
    ),
    "maker notes": (
        Picture(samples(3), metadata=Metadata(exif=exif(note=NOTE))),
        lambda path, seen: NOTE in (read_metadata(path)[0].exif or b""),
    ),
    "XMP over 64 KB": (
        Picture(samples(3), metadata=Metadata(xmp=packet(f'dc:source="{LONG}"'))),
        lambda path, seen: LONG.encode() in (read_metadata(path)[0].xmp or b""),
    ),
    "panorama": (
        Picture(samples(3), metadata=Metadata(xmp=packet('GPano:FullPanoWidthPixels="16"'))),
        lambda path, seen: b'GPano:FullPanoWidthPixels="32"' in (read_metadata(path)[0].xmp or b""),
    ),
    "regions": (
        Picture(samples(3), metadata=Metadata(xmp=packet("", SUBJECT.format(8, 6)))),
        lambda path, seen: SUBJECT.format(16, 12).encode() in (read_metadata(path)[0].xmp or b""),
    ),
    "comment": (
        Picture(samples(3), metadata=Metadata(texts=(Text("Comment", "of a cat"),))),
        lambda path, seen: b"of a cat" in path.read_bytes(),
    ),
    "other texts": (
        Picture(samples(3), metadata=Metadata(texts=(Text("workflow", "nodes and links"),))),
        lambda path, seen: b"nodes and links" in path.read_bytes(),
    ),
}
OF_PNG = ("comment", "other texts")
"""What a TIFF cannot bring along."""


def survives(folder: Path, source: Path, suffix: str, kept: Callable[[Path, Source], bool]) -> str:
    """Enlarge into a format and look."""
    target = folder / f"out{suffix}"
    try:
        run_job(plan_job(source, target, Settings(Wanted(2))))
    except ClearzoomError:
        return "refused"
    return "yes" if kept(target, open_picture(target)) else "no"


def page() -> str:
    """The whole page."""
    rows = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, (picture, kept) in CASES.items():
            source = folder / ("in.png" if title in OF_PNG else "in.tif")
            write_picture(source, picture)
            assert read_picture(source).samples.dtype == picture.samples.dtype
            rows[title] = [survives(folder, source, each.suffixes[0], kept) for each in FORMATS]
        frames = [Image.fromarray(np.roll(samples(3), k, axis=1)) for k in range(3)]
        frames[0].save(folder / "in.gif", save_all=True, append_images=frames[1:], duration=80)
        rows["animation"] = [
            survives(
                folder, folder / "in.gif", each.suffixes[0], lambda path, seen: seen.frames == 3
            )
            for each in FORMATS
        ]
    lines = ["| | " + " | ".join(each.name for each in FORMATS) + " |"]
    lines.append("| --- |" + " --- |" * len(FORMATS))
    lines += [f"| {title} | {' | '.join(cells)} |" for title, cells in rows.items()]
    longest = (f"{each.longest_px:,}" if each.longest_px < 2**31 - 1 else "" for each in FORMATS)
    lines.append("| longest side, px | " + " | ".join(longest) + " |")
    return HEAD + "\n".join(lines) + "\n" + TAIL


if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
