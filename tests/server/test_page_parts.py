"""The page's files, read without a browser: both languages whole, nothing from elsewhere."""

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from clearzoom.core.plan import chain_for
from clearzoom.errors import SizeError
from clearzoom.io.formats import FORMATS
from clearzoom.io.names import READ_SUFFIXES
from clearzoom.server.settings import ServeSettings

PAGE = Path(__file__).parents[2] / "src" / "clearzoom" / "server" / "page"
MODULE = PAGE / "device"  # which pages elsewhere may use, too: it has no words and no document
OWN = sorted(path for folder in (PAGE, MODULE) for path in folder.iterdir() if path.is_file())
SCRIPTS = [path for path in OWN if path.suffix == ".js"]
PAGES = "device.html", "access.html", "access-token.html"
DOCUMENTS = {name: (PAGE / name).read_text("utf-8") for name in PAGES} | {
    "index.html": "".join(
        (PAGE / name).read_text("utf-8") for name in ("index.html", "viewer.html")
    ),
}  # viewer.html is put into the first when a picture is opened
NAMESPACES = {  # names, never fetched
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}


class Elements(HTMLParser):
    """All elements as (tag, attributes), and what stands in scripts and styles."""

    def __init__(self):
        super().__init__()
        self.found, self.inline, self._tag = [], [], None

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._tag = tag

    def handle_data(self, data):
        if self._tag in ("script", "style") and data.strip():
            self.inline.append(data)


@pytest.fixture(scope="module", params=DOCUMENTS)
def document(request):
    return request.param


@pytest.fixture(scope="module")
def elements(document):
    parser = Elements()
    parser.feed(DOCUMENTS[document])
    return parser


def imported(path, at_once=False):
    """The scripts that one imports: all, or those without which it cannot begin."""
    how = r'from "' if at_once else r'(?:from |import\()"'
    names = re.findall(rf'{how}(\./|\.\./device/)([^"]+)"', path.read_text("utf-8"))
    there = {(path.parent if here == "./" else MODULE) / name for here, name in names}
    return {one for one in there if "vendor" not in one.parts}


def with_imports(paths, at_once=False):
    found, waiting = set(), set(paths)
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting |= imported(path, at_once) - found
    return found


def scripts_in(elements):
    return {
        PAGE / given["src"].removeprefix("static/")
        for tag, given in elements.found
        if tag == "script"
    }


def scripts_of(elements):
    """The page's own scripts and all that they import, at once or later."""
    return with_imports(scripts_in(elements))


def dictionary(name):
    text = (PAGE / f"words-{name}.js").read_text("utf-8")
    return dict(re.findall(r'^  "([^"]+)":\s*\n?\s*"([^"]*)"', text, re.MULTILINE))


def ids(elements):
    return [given["id"] for _, given in elements.found if "id" in given]


def test_both_languages_say_everything_and_nothing_twice():
    english, chinese = dictionary("en"), dictionary("zh")
    assert list(english) == list(chinese)
    for name in ("en", "zh"):
        text = (PAGE / f"words-{name}.js").read_text("utf-8")
        keys = re.findall(r'^  "([^"]+)":', text, re.MULTILINE)
        assert len(keys) == len(set(keys)) == len(dictionary(name))


def test_both_languages_fill_in_the_same_parts():
    english, chinese = dictionary("en"), dictionary("zh")
    text = {name: (PAGE / f"words-{name}.js").read_text("utf-8") for name in ("en", "zh")}
    assert english
    for key in english:
        parts = {
            name: set(re.findall(r"\{(\w+)\}", whole.split(f'"{key}":')[1].split('\n  "')[0]))
            for name, whole in text.items()
        }
        assert parts["en"] == parts["zh"], key
    assert all(re.search(r"[一-鿿]", words) for key, words in chinese.items() if words not in (
        "English", "The more you zoom, the clearer.", "Language: switch to English"
    ))  # fmt: skip


def test_every_key_that_is_asked_for_exists(elements):
    keys = set(dictionary("en"))
    asked = {
        value
        for _, given in elements.found
        for name, value in given.items()
        if name == "data-t" or name.startswith("data-t-")
    }
    for path in SCRIPTS:
        asked |= set(re.findall(r'\bt\(\s*"([^"$]+)"', path.read_text("utf-8")))
    assert asked <= keys
    computed = re.compile(r"((device\.)?error|model|zoom)\.")
    everything = "".join(DOCUMENTS.values()) + "".join(
        path.read_text("utf-8") for path in SCRIPTS if "words-" not in path.name
    )
    assert not {key for key in keys if f'"{key}"' not in everything and not computed.match(key)}


def test_every_id_that_scripts_ask_for_exists_once(elements):
    there = ids(elements)
    assert len(there) == len(set(there))
    for path in scripts_of(elements):
        asked = set(re.findall(r'\bby\("([^"]+)"\)', path.read_text("utf-8")))
        assert asked <= set(there), path.name
    for _, given in elements.found:
        for name in ("aria-labelledby", "aria-controls", "for"):
            assert set(given.get(name, "").split()) <= set(there)
        if given.get("href", "").startswith("#i-"):
            assert given["href"][1:] in there


def test_nothing_is_asked_from_elsewhere():
    for path in OWN:
        found = set(re.findall(r"https?://[^\s\"'`)>]+", path.read_text("utf-8")))
        assert found <= NAMESPACES, path.name


def test_no_inline_script_or_style(elements):
    assert not elements.inline
    for tag, given in elements.found:
        assert tag != "style"
        assert not {name for name in given if name == "style" or name.startswith("on")}


def classes_set_by_scripts():
    text = "".join(path.read_text("utf-8") for path in SCRIPTS)
    places = re.findall(r"(?:className:|classList\.\w+\()([^,})]*)", text)
    return {name for value in re.findall(r'"([^"]*)"', "".join(places)) for name in value.split()}


def test_no_style_is_for_nothing():
    """Each class and id in a style sheet is in a document that loads it, or is set by a script."""
    sheets = {path: path.read_text("utf-8") for path in OWN if path.suffix == ".css"}
    assert sheets
    for sheet, text in sheets.items():
        classes, identifiers = {"openseadragon-canvas"} | classes_set_by_scripts(), set()
        for page in DOCUMENTS.values():
            if f'href="static/{sheet.name}"' in page:
                parser = Elements()
                parser.feed(page)
                identifiers |= set(ids(parser))
                classes |= {
                    one for _, given in parser.found for one in given.get("class", "").split()
                }
        selectors = " ".join(re.findall(r"([^{};]+)\{", re.sub(r"/\*.*?\*/", "", text, flags=re.S)))
        assert set(re.findall(r"\.([a-z][\w-]*)", selectors)) <= classes, sheet.name
        assert set(re.findall(r"#([a-z][\w-]*)", selectors)) <= identifiers, sheet.name
        for name in re.findall(r"^\s*(--[\w-]+):", text, re.MULTILINE):
            assert any(f"var({name}" in other for other in sheets.values()), name


def test_what_the_page_loads_is_there(elements):
    for tag, given in elements.found:
        address = given.get("src" if tag == "script" else "href", "") or ""
        if address.startswith("static/"):
            assert (PAGE / address.removeprefix("static/")).is_file()
    assert all(path.is_file() for path in scripts_of(elements))


def test_every_address_is_relative_to_the_document(elements):
    for _, given in elements.found:
        for name in ("href", "src", "action"):
            assert not given.get(name, "").startswith("/")
    for path in SCRIPTS:
        text = path.read_text("utf-8")
        assert not re.findall(r"""["'`]/(?:api|iiif|dzi|static|device)\b""", text), path.name


def preloaded(elements):
    return {
        PAGE / given["href"].removeprefix("static/")
        for tag, given in elements.found
        if tag == "link" and given.get("rel") == "modulepreload"
    }


def test_no_script_waits_for_another_to_be_fetched(elements, document):
    """All of the first sight are named in the document: two trips there and back, not four."""
    first = with_imports(scripts_in(elements), at_once=True)
    assert preloaded(elements) | scripts_in(elements) == first


def test_the_gallery_can_do_without_the_viewer():
    text = (PAGE / "index.html").read_text("utf-8")
    elements = Elements()
    elements.feed(text)
    first = with_imports(scripts_in(elements), at_once=True)
    assert not {"viewer.js", "openseadragon.js", "download.js"} & {path.name for path in first}
    sheets = [given["href"] for _, given in elements.found if given.get("rel") == "stylesheet"]
    assert sheets == ["static/style.css", "static/home.css"]
    # A second of a line with 50 KB/s, compressed by nobody.
    files = [PAGE / "index.html", PAGE / "words-en.js", *first]
    files += [PAGE / sheet.removeprefix("static/") for sheet in sheets]
    assert sum(len(path.read_bytes()) for path in files) < 65_000


def test_the_viewer_s_scripts_are_fetched_at_once():
    loader = PAGE / "load-viewer.js"
    text = loader.read_text("utf-8")
    (named,) = re.findall(r"const MODULES = \[([^\]]*)\]", text)
    whole = with_imports({PAGE / "viewer.js"}, at_once=True)
    gallery = with_imports({PAGE / "app.js"}, at_once=True)
    assert {PAGE / name for name in re.findall(r'"([^"]+)"', named)} == whole - gallery
    (library,) = re.findall(r'LIBRARY = "([^"]+)"', text)
    assert (PAGE / library).is_file()
    assert library in (PAGE / "openseadragon.js").read_text("utf-8")


def test_every_script_belongs_to_a_page():
    used = set()
    for text in DOCUMENTS.values():
        parser = Elements()
        parser.feed(text)
        used |= scripts_of(parser)
    in_the_worker = {path for path in SCRIPTS if path.parent == MODULE}
    assert set(SCRIPTS) - in_the_worker == used - in_the_worker


def test_the_library_is_the_one_that_its_readme_states():
    vendor = PAGE / "vendor"
    said = (vendor / "README.md").read_text("utf-8")
    content = (vendor / "openseadragon.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() in said
    assert b"openseadragon 6.1.1" in content[:100]
    assert "# OpenSeadragon 6.1.1" in said
    assert (vendor / "LICENSE.txt").is_file()


def test_the_one_webassembly_build_is_the_one_that_its_readme_states():
    vendor = MODULE / "vendor"
    said = (vendor / "README.md").read_text("utf-8")
    stated = dict(re.findall(r"([0-9a-f]{64})  (\S+)", said))
    there = {path.name for path in vendor.iterdir()} - {"README.md"}
    assert set(stated.values()) == there
    for digest, name in stated.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest
    assert [path.name for path in PAGE.rglob("*.wasm")] == ["ort-wasm-simd-threaded.wasm"]
    script = (PAGE.parents[3] / "scripts" / "vendor-onnxruntime-web").read_text("utf-8")
    (version,) = re.findall(r"^version=(\S+)$", script, re.MULTILINE)
    assert f"# onnxruntime-web {version}\n" in said
    assert f"ONNX Runtime Web v{version}".encode() in (vendor / "ort.wasm.min.mjs").read_bytes()


def test_the_limits_that_the_page_knows_are_the_servers():
    said = (PAGE / "sizes.js").read_text("utf-8") + (PAGE / "models.js").read_text("utf-8")
    found = re.findall(r"\b(\w+)(?: =|:) ([\d_]+)\b", said)
    number = {name: int(value.replace("_", "")) for name, value in found}
    assert number["MOST_RESULT_PX"] == ServeSettings.model_fields["max_job_pixels"].default
    most = 4.0 ** number["MOST_STAGES"]
    assert chain_for(most, {2: 1.0, 4: 1.0}) == (4,) * number["MOST_STAGES"]
    with pytest.raises(SizeError):
        chain_for(most + 0.01, {2: 1.0, 4: 1.0})
    form = (PAGE / "viewer.html").read_text("utf-8")
    longest = {suffix[1:]: each.longest_px for each in FORMATS for suffix in each.suffixes}
    for name in re.findall(r'<option value="(\w+)" data-t="download\.format', form):
        assert number.get(name, 2**31 - 1) == longest[name], name


def test_what_the_page_offers_to_upload_is_read():
    form = (PAGE / "index.html").read_text("utf-8")
    (offered,) = re.findall(r'type="file"[^>]* accept="image/\*,([^"]*)"', form)
    assert set(offered.split(",")) <= set(READ_SUFFIXES)


def test_each_file_holds_one_idea():
    for path in OWN:
        if path.suffix == ".js":
            assert len(path.read_text("utf-8").splitlines()) <= 320, path.name
