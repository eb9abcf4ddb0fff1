"""Manifests of folders and files, and collections of the tree."""

import io
import shutil
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import tifffile
from PIL import Image

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "chelsea.png"
SCHEMA = ROOT / ".tools" / "iiif-prezi3-3.1.1"
CC = "http://creativecommons.org/licenses/by/4.0/"
PREFIX = "/iiif/presentation/3"
BOOK, TREE = "scans/Book of tea & 茶", "scans"


@pytest.fixture
def folder(tmp_path, photo):
    """A tree with a book, whose pages lie in no order of their letters, and a page of two."""
    root = tmp_path / "museum"
    book = root / BOOK
    book.mkdir(parents=True)
    for number, size in ((1, (60, 90)), (2, (61, 90)), (10, (62, 90))):
        Image.fromarray(photo[: size[1], : size[0]]).save(book / f"page {number}.png")
    Image.fromarray(photo[:50, :40]).save(book / "Cover.jpg")
    with tifffile.TiffWriter(book / "page 11.tif") as writer:
        for side in (33, 44):
            writer.write(photo[:side, :side], photometric="rgb", metadata=None)
    (book / "page 3.png").write_bytes(EXAMPLE.read_bytes()[:20])
    (book / "notes.txt").write_text("no picture")
    (book / ".hidden.png").write_bytes(EXAMPLE.read_bytes())
    shutil.copy(EXAMPLE, root / "a.png")
    (root / "empty" / "below").mkdir(parents=True)
    (root / ".secret").mkdir()
    shutil.copy(EXAMPLE, root / ".secret" / "a.png")
    (root / "again").symlink_to(root / "scans")
    return root


@pytest.fixture
def ask(in_process, folder):
    return in_process(folder=folder)


def say(folder, text):
    (folder / "clearzoom.toml").write_text(text)


def manifest_of(ask, identifier):
    answer = ask("GET", f"{PREFIX}/{quote(identifier, safe='~,')}/manifest")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/ld+json")
    return answer.json()


def titles(content):
    return [next(iter(each["label"].values()))[0] for each in content["items"]]


def service_of(canvas):
    return canvas["items"][0]["items"][0]["body"]["service"][0]["id"].partition("/iiif/3/")[2]


def test_a_folder_is_a_book_in_the_natural_order_of_its_names(ask):
    content = manifest_of(ask, BOOK)
    assert content["type"] == "Manifest"
    assert content["label"] == {"none": ["Book of tea & 茶"]}
    assert "behavior" not in content
    assert titles(content) == [
        "Cover.jpg",
        "page 1.png",
        "page 2.png",
        "page 10.png",
        "page 11.tif, page 1",
        "page 11.tif, page 2",
    ]
    assert [each["width"] for each in content["items"]] == [40, 60, 61, 62, 33, 44]
    assert {each["height"] for each in content["items"][1:4]} == {90}
    own = manifest_of(ask, f"{BOOK}/page 2.png")
    assert own["items"][0]["id"] == content["items"][2]["id"]
    for canvas in content["items"]:
        image = canvas["items"][0]["items"][0]["body"]
        for place in (f"/iiif/3/{service_of(canvas)}/info.json", image["id"]):
            assert ask("GET", place).status_code == 200


def test_the_owner_says_how_a_book_is_ordered_and_read(ask, folder):
    say(
        folder / BOOK,
        'label = "The Book of Tea"\norder = ["page 10.png", "gone.png", "page 1.png"]\n'
        'behavior = ["paged"]\nviewing_direction = "right-to-left"\n',
    )
    content = manifest_of(ask, BOOK)
    assert content["label"] == {"none": ["The Book of Tea"]}
    assert titles(content)[:4] == ["page 10.png", "page 1.png", "Cover.jpg", "page 2.png"]
    assert (content["behavior"], content["viewingDirection"]) == (["paged"], "right-to-left")
    tree = ask("GET", f"{PREFIX}/{TREE}/collection").json()
    assert titles(tree) == ["The Book of Tea"]
    inner = ask("GET", f"{PREFIX}/{quote(BOOK, safe='')}/collection").json()
    assert [(each["type"], each["label"]) for each in inner["items"]] == [
        ("Manifest", {"none": ["The Book of Tea"]})
    ]


def test_rights_are_those_of_the_folder_where_a_picture_has_no_others(ask, folder):
    say(folder, f'rights = "{CC}"\nattribution = "National Museum"')
    say(
        folder / BOOK,
        '[pictures."page 2.png"]\nattribution = "Private"\nlabel = "Two"\n'
        '[pictures."page 1.png"]\nrights = "https://example.org/"\n',
    )
    content = manifest_of(ask, BOOK)
    assert content["rights"] == CC
    assert content["requiredStatement"]["value"] == {"none": ["National Museum"]}
    cover, one, two, *_ = content["items"]
    assert not {"rights", "requiredStatement", "metadata"} & cover.keys()
    assert one["metadata"][0]["value"] == {"none": ["https://example.org/"]}
    assert two["requiredStatement"]["value"] == {"none": ["Private"]}
    assert two["label"] == {"none": ["Two"]}


def test_the_served_folder_has_addresses_of_its_own(ask, folder):
    content = ask("GET", f"{PREFIX}/manifest").json()
    assert (titles(content), content["label"]) == (["a.png"], {"none": ["museum"]})
    tree = ask("GET", f"{PREFIX}/collection").json()
    assert [(each["type"], each["label"]["none"]) for each in tree["items"]] == [
        ("Collection", ["scans"]),
        ("Manifest", ["a.png"]),
    ]


def test_the_tree_can_be_followed_down_to_every_picture(ask, folder):
    found, waiting = [], [f"{PREFIX}/collection"]
    while waiting:
        place = waiting.pop()
        answer = ask("GET", place)
        assert answer.status_code == 200
        content = answer.json()
        assert content["id"].endswith(place)
        if content["type"] == "Manifest":
            found += [service_of(each) for each in content["items"]]
            continue
        waiting += [each["id"].partition("localhost:8000")[2] for each in content["items"]]
    names = {"Cover.jpg", "page 1.png", "page 2.png", "page 10.png"}
    names |= {"page 11.tif~p1", "page 11.tif~p2"}
    assert set(found) == {"a.png"} | {quote(f"{BOOK}/{name}", safe="") for name in names}


def test_an_album_is_listed_as_a_whole_and_by_its_pictures(ask):
    tree = ask("GET", f"{PREFIX}/{quote(BOOK, safe='')}/collection").json()
    assert [next(iter(each["label"].values()))[0] for each in tree["items"]] == [
        "Book of tea & 茶: all pictures",
        "Cover.jpg",
        "page 1.png",
        "page 2.png",
        "page 10.png",
        "page 11.tif",
    ]
    outer = ask("GET", tree["partOf"][0]["id"].partition("localhost:8000")[2]).json()
    assert tree["id"] in [each["id"] for each in outer["items"]]


def test_a_book_can_be_virtual_as_far_as_its_owner_allows(ask, folder):
    say(folder / BOOK, '[pictures."page 2.png"]\nupscaling = false')
    content = manifest_of(ask, f"{BOOK}~x4")
    assert content["label"]["en"] == ["Book of tea & 茶 (×4, inferred by photo)"]
    assert "inferred" in content["summary"]["en"][0]
    assert [each["width"] for each in content["items"]] == [160, 240, 61, 248, 132, 176]
    assert service_of(content["items"][-1]).endswith("page%2011.tif~p2~x4")


def test_a_folder_whose_name_looks_virtual_comes_first(ask, folder):
    (folder / "set~x3").mkdir()
    shutil.copy(EXAMPLE, folder / "set~x3" / "a.png")
    assert [each["width"] for each in manifest_of(ask, "set~x3")["items"]] == [451]
    assert [each["width"] for each in manifest_of(ask, "set~x3~x2")["items"]] == [902]


@pytest.mark.parametrize(
    "place",
    [
        *("empty/manifest", "scans/manifest", "nothing/manifest", "nothing/collection"),
        *("a.png/collection", ".secret/collection", "..%2F/collection", "%2F/collection"),
        *("scans%2F..%2F.secret/manifest", "scans~x3/manifest"),
    ],
)
def test_what_is_no_book_or_folder_is_missing(ask, place):
    answer = ask("GET", f"{PREFIX}/{place}")
    assert (answer.status_code, answer.json()["code"]) == (404, "missing")


def test_a_folder_that_is_linked_can_be_a_book_and_is_not_walked_into(ask):
    assert len(manifest_of(ask, BOOK.replace("scans", "again"))["items"]) == 6
    tree = ask("GET", f"{PREFIX}/collection").json()
    assert "again" not in titles(tree)


LABELS = {
    "": ("a.png", None),
    "~x4": ("a.png (×4, inferred by photo)", "is inferred by clearzoom (photo)"),
    "~x2,fast": ("a.png (×2, inferred by fast)", "is inferred by clearzoom (fast)"),
    "~x4,photo-crisp,0.5": (
        "a.png (×4, inferred by photo-crisp strength 0.5)",
        "is inferred by clearzoom (photo-crisp)",
    ),
    "~x4,photo,d0.6": ("a.png (×4, inferred by photo denoise 0.6)", "inferred by clearzoom"),
    "~x8,bicubic": ("a.png (×8, interpolated)", "nothing is inferred"),
    "~f4": ("a.png (what photo added at ×4)", "What photo added"),
    "~f2,fast": ("a.png (what fast added at ×2)", "What fast added"),
}


@pytest.mark.parametrize("suffix", LABELS)
def test_a_label_says_what_the_picture_shows(ask, suffix):
    label, summary = LABELS[suffix]
    content = manifest_of(ask, f"a.png{suffix}")
    language = "en" if suffix else "none"
    assert content["label"][language] == [label]
    assert content["items"][0]["label"] == content["label"]
    assert set(content["label"]) == ({"en", "zh-Hant"} if suffix else {"none"})
    if summary is None:
        assert "summary" not in content
    else:
        assert summary in content["summary"]["en"][0]


def test_every_virtual_picture_is_named_differently(ask):
    labels = [manifest_of(ask, f"a.png{each}")["label"] for each in LABELS if each]
    for language in ("en", "zh-Hant"):
        assert len({label[language][0] for label in labels}) == len(LABELS) - 1


def test_a_map_of_what_was_added_is_a_picture_with_transparency(ask):
    body = manifest_of(ask, "a.png~f4")["items"][0]["items"][0]["items"][0]["body"]
    assert (body["format"], body["id"].endswith(".png")) == ("image/png", True)


@pytest.mark.parametrize(
    "place", ["a.png/manifest", "manifest", "collection", f"{quote(BOOK, safe='')}/manifest"]
)
def test_descriptions_are_sent_once(ask, folder, place):
    first = ask("GET", f"{PREFIX}/{place}")
    tag, time = first.headers["etag"], first.headers["last-modified"]
    for known in ({"If-None-Match": tag}, {"If-None-Match": f'"x", {tag}'}):
        again = ask("GET", f"{PREFIX}/{place}", headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    since = ask("GET", f"{PREFIX}/{place}", headers={"If-Modified-Since": time})
    assert since.status_code == 304
    both = {"If-None-Match": '"other"', "If-Modified-Since": time}
    for known in (both, {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}):
        assert ask("GET", f"{PREFIX}/{place}", headers=known).status_code == 200
    say(folder, 'label = "Another"\nattribution = "Somebody else"')
    changed = ask("GET", f"{PREFIX}/{place}", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_a_mistake_of_the_owner_shows_nothing(ask, folder):
    say(folder / TREE, "behavior = ['loose']")
    for document in ("manifest", "collection"):
        answer = ask("GET", f"{PREFIX}/{quote(BOOK, safe='')}/{document}")
        assert answer.status_code == 500
        assert "loose" not in answer.text
    assert titles(ask("GET", f"{PREFIX}/collection").json()) == ["a.png"]


@pytest.fixture(scope="module")
def models():
    """The models of IIIF's prezi3, which are made from the standard's own JSON schema."""
    if not SCHEMA.is_dir():
        pytest.skip("iiif-prezi3 is not there; run scripts/install-test-tools")
    sys.path.append(str(SCHEMA))
    import iiif_prezi3

    yield iiif_prezi3
    sys.path.remove(str(SCHEMA))


@pytest.mark.parametrize(
    "place",
    [
        *("collection", f"{TREE}/collection", f"{quote(BOOK, safe='')}/collection", "manifest"),
        *(f"{quote(BOOK, safe='')}{kind}/manifest" for kind in ("", "~x4")),
        *("a.png/manifest", "a.png~f4/manifest", "a.png~x4,bicubic/manifest"),
    ],
)
def test_documents_agree_with_the_schema(ask, folder, models, place):
    say(folder, f'rights = "{CC}"\nattribution = "National Museum"\nlabel = "All"')
    say(folder / BOOK, 'viewing_direction = "top-to-bottom"')
    content = ask("GET", f"{PREFIX}/{place}").json()
    model = models.Collection if content["type"] == "Collection" else models.Manifest
    model.model_validate(content)
    content["items"].append({"id": "no address", "type": "Nothing"})
    with pytest.raises(ValueError, match="items"):
        model.model_validate(content)


def test_what_a_canvas_shows_has_the_size_that_is_stated(in_process, tmp_path, monkeypatch):
    monkeypatch.setattr("clearzoom.server.tiles.pace._px_per_s", lambda network: 1.0)
    Image.new("RGB", (1200, 900)).save(tmp_path / "wide.png")  # more than any machine infers
    ask = in_process(folder=tmp_path, model="fast")
    canvas = ask("GET", "/iiif/presentation/3/wide.png~x4/manifest").json()["items"][0]
    body = canvas["items"][0]["items"][0]["body"]
    answer = ask("GET", body["id"].removeprefix("http://localhost:8000"))
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert (body["width"], body["height"]) == shown.size == (1200, 900)
