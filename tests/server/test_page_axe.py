"""axe, the checker of accessibility, has nothing to say about any screen of the page."""

import os
from pathlib import Path

import pytest
from helpers.page import settled
from PIL import Image

from clearzoom.probe.add import add_model
from clearzoom.weights import FOLDER

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / ".tools" / "axe-core-4.14.1" / "axe.min.js"
LONG = "A_very_long_title_as_archives_write_them_NMA.2019.0034-b_recto_final_version_2_of_3.png"
EYE = "#picture=chelsea.png&zoom=400&x=0.4&y=0.45"
RUN = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) =>
        [id, help, ...nodes.slice(0, 3).map(({ html, failureSummary }) => [html, failureSummary])]);
}"""


def opened(selector, *more):
    def act(page):
        if not page.url.endswith("/device"):
            settled(page)
        for step in (selector, *more):
            if step.startswith("input"):
                page.check(step, force=True)
            else:
                page.click(step)

    return act


SCREENS = {
    "gallery": ("", lambda page: page.wait_for_selector("#peek-after.there")),
    "viewer": (EYE, settled),
    "original": ("#picture=chelsea.png", settled),
    "compare": (f"{EYE}&mode=compare", settled),
    "lens": (f"{EYE}&mode=lens", settled),
    "what was added": (f"{EYE}&fidelity=1", settled),
    "models": (EYE, opened("#tool-model")),
    "links": (EYE, opened("#share-open")),
    "keys": (EYE, opened("#help-open")),
    "times": (EYE, opened("#download-open", "#finer summary")),
    "pixels": (EYE, opened("#download-open", "input[value=pixels]")),
    "print": (EYE, opened("#download-open", "input[value=print]")),
    "view": (EYE, opened("#download-open", "input[value=view]")),
    "pages": ("#picture=book.tif~p2", settled),
    "first page": ("#picture=book.tif", settled),
    "gone": ("#picture=gone.png", lambda page: page.wait_for_selector("#hint >> text=not on")),
    "unknown link": ("?iiif-content=nothing", lambda page: page.wait_for_selector(".toast")),
    "device": ("device", lambda page: page.wait_for_selector("#about >> text=photograph")),
    "device with own": ("device", opened("#others-title", "input[value=mine]")),
}


@pytest.fixture(scope="module")
def axe():
    if not AXE.is_file():
        reason = f"{AXE} is not there; run scripts/install-test-tools"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return AXE.read_text("utf-8")


@pytest.fixture(scope="module")
def server(serve, tmp_path_factory, served_folder):
    folder = tmp_path_factory.mktemp("seen")
    for name in ("chelsea.png", "grey.png", "damaged.png", "no-picture.jpg"):
        (folder / name).write_bytes((served_folder / name).read_bytes())
    for number in range(14):  # so many that they can be searched
        (folder / f"{number} {LONG}").write_bytes((served_folder / "grey.png").read_bytes())
    with Image.open(folder / "grey.png") as picture:
        picture.save(folder / "book.tif", save_all=True, append_images=[picture, picture])
    data = str(tmp_path_factory.mktemp("own"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARZOOM_DATA", data)
        add_model(FOLDER / "fast-x2.onnx", None, "mine", print)
    settings = ("--model", "fast", "--consistency", "tones")
    server = serve(folder, *settings, environment={"CLEARZOOM_DATA": data})
    yield server
    server.end()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SCREENS)
def test_axe_finds_nothing(open_page, axe, name, scheme):
    address, ready = SCREENS[name]
    page = open_page(address, color_scheme=scheme)
    ready(page)
    page.evaluate(axe)
    assert page.evaluate(RUN) == []


@pytest.mark.parametrize("name", ["gallery", "compare", "print", "device with own"])
def test_axe_finds_nothing_on_a_phone_in_chinese(open_page, axe, name):
    address, ready = SCREENS[name]
    size = {"width": 390, "height": 844}
    page = open_page(address, viewport=size, has_touch=True, locale="en-US")
    ready(page)
    page.evaluate("() => document.getElementById('language').click()")
    page.wait_for_function("() => document.documentElement.lang === 'zh-Hant'")
    page.evaluate(axe)
    assert page.evaluate(RUN) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_axe_finds_nothing_in_an_empty_folder(browser, serve, axe, tmp_path):
    server = serve(tmp_path)
    page = browser.new_page(locale="en-US")
    page.goto(server.url)
    page.wait_for_selector("#home.empty")
    page.evaluate(axe)
    assert page.evaluate(RUN) == []
    page.close()
    server.end()
