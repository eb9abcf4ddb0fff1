"""The owner's own models on the page that enlarges in the browser: what runs, and what is said."""

import hashlib
import io
import json
import re

import numpy as np
import pytest
from helpers.device_networks import BAD, GRAPHS, LONGEST_NAME, unlike_their_cards
from PIL import Image

import clearzoom
from clearzoom.probe.add import add_model
from clearzoom.probe.measure import measure
from clearzoom.weights import FOLDER

pytestmark = pytest.mark.slow

LICENCE = "CC-BY-4.0, by its maker"
WHOLE_PX = 262_144


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Several added networks, measured, and a copy of a released one; the folder of own models."""
    folder = tmp_path_factory.mktemp("networks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARZOOM_DATA", str(folder / "data"))
        # Measured as in the child, and only with small pictures as a whole.
        patch.setattr(
            "clearzoom.probe.add.measure_apart",
            lambda file, licence, name, say, limits: measure(file, licence, name, say),
        )
        patch.setattr("clearzoom.probe.windows._WHOLE_SIDES_PX", (256,))
        for name, graph in GRAPHS.items():
            add_model(graph(folder / f"{name}.onnx"), LICENCE, name, print)
        add_model(FOLDER / "fast-x2.onnx", None, "mine", print)
        unlike_their_cards(folder / "data" / "models")
        yield folder / "data" / "models"


@pytest.fixture(scope="module")
def server(serve, served_folder, networks):
    server = serve(served_folder)
    yield server
    server.end()


def encoded(levels):
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    return file.getvalue()


def choose_picture(page, levels):
    file = {"name": "mine.png", "mimeType": "image/png", "buffer": encoded(levels)}
    page.set_input_files("#file", file)
    page.wait_for_selector("#chosen")


def choose_network(page, name):
    page.wait_for_selector("#others")
    if not page.evaluate("document.getElementById('others').open"):
        page.click("#others summary")
    page.check(f"input[value={name}]")


def saved_picture(page):
    page.wait_for_selector("#save")
    with page.expect_download() as got:
        page.click("#save")
    with Image.open(got.value.path()) as picture:
        picture.load()
        return np.asarray(picture).astype(int), picture.info["XML:com.adobe.xmp"]


WHERE = [
    ("numbers-to-255", 2, np.s_[:, :270]),  # two tiles across, two down
    ("turns-colours", 2, np.s_[20:80, 100:170]),
    ("in-blocks", 2, np.s_[:263, :270]),
    ("in-blocks", 2, np.s_[60:61, 100:101]),
    ("of-luma", 3, np.s_[40:141, 100:197]),
    ("of-fixed-size", 2, np.s_[40:111, 100:197]),
    ("of-fixed-size", 2, np.s_[40:45, 100:107]),
    ("float16", 2, np.s_[40:80, 100:150]),
    ("float64", 2, np.s_[40:80, 100:150]),
    ("of-the-mean", 2, np.s_[:, :420]),  # two tiles, were it not seen as a whole
    ("of-the-place", 2, np.s_[:100, :131]),  # three windows across and down, the last ones short
    ("of-the-place", 2, np.s_[40:45, 100:107]),
    (LONGEST_NAME, 4, np.s_[40:80, 100:150]),
    ("mine", 2, np.s_[40:80, 100:150]),
]


@pytest.mark.browser
@pytest.mark.parametrize(("name", "scale", "part"), WHERE)
def test_its_result_is_the_command_s(open_page, networks, photo, name, scale, part):
    lr = np.ascontiguousarray(photo[part])
    page = open_page("device")
    choose_network(page, name)
    choose_picture(page, lr)
    page.click("#start")
    sr, xmp = saved_picture(page)
    theirs = clearzoom.enlarge(lr, scale, name, consistency="none")
    assert sr.shape == theirs.shape
    assert np.abs(sr - theirs).max() <= 1
    assert f'clearzoom:Model="{name} x{scale}"' in xmp
    content = (networks / f"{name}-x{scale}.onnx").read_bytes()
    assert f'clearzoom:WeightsSHA256="{hashlib.sha256(content).hexdigest()}"' in xmp


@pytest.mark.browser
def test_a_picture_larger_than_a_whole_is_blended_of_windows(open_page, photo):
    lr = np.tile(photo, (2, 2, 1))[:521, :524].copy()  # of 288 px, the last of them short
    assert lr[..., 0].size > WHOLE_PX
    rows, columns = np.mgrid[:521, :524]
    alpha = np.where(np.hypot(rows - 270, columns - 290) < 40, 0, 255).astype(np.uint8)
    lr = np.dstack([lr, alpha])
    lr[alpha == 0, :3] = 0  # as every browser decodes it
    page = open_page("device")
    choose_network(page, "of-the-mean")
    choose_picture(page, lr)
    page.click("#start")
    sr, _ = saved_picture(page)
    theirs = clearzoom.enlarge(lr, 2, "of-the-mean", consistency="none").astype(int)
    assert np.abs(sr[..., 3] - theirs[..., 3]).max() <= 1
    seen = theirs[..., 3] > 0
    assert np.abs(sr[seen] - theirs[seen]).max() <= 1


@pytest.mark.browser
def test_nothing_of_a_network_is_loaded_before_it_runs(open_page, photo):
    page = open_page("device")
    asked = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    choose_network(page, "numbers-to-255")
    page.check("input[value=mine]")
    choose_picture(page, photo[:20, :30])
    page.wait_for_timeout(300)
    assert not [name for name in asked if name.endswith((".onnx", ".wasm", ".json"))]
    page.click("#start")
    saved_picture(page)
    assert {name for name in asked if name.endswith((".onnx", ".json"))} == {
        "mine-x2.onnx",
        "mine-x2.json",
    }


@pytest.mark.browser
def test_what_is_known_of_it_is_said_before_a_picture_is_chosen(open_page, networks):
    page = open_page("device")
    assert (
        page.inner_text("#others-title")
        == f"More networks of this server ({len(GRAPHS) + len(BAD) + 3})"
    )
    choose_network(page, "of-luma")
    page.wait_for_selector("#about", state="hidden")  # the list says it
    page.click("#others summary")
    page.wait_for_selector("#about")
    kilobytes = (networks / "of-luma-x3.onnx").stat().st_size / 1000
    assert page.inner_text("#about") == (
        f"of-luma: Added from of-luma.onnx. Licence: {LICENCE}. {kilobytes:.2g} kB to load."
    )
    assert page.locator("input[name=scale]").evaluate_all("all => all.map((one) => one.value)") == [
        "3"
    ]
    choose_network(page, "mine")
    page.click("#others summary")
    page.wait_for_selector(
        "#about >> text=Trained by whoever runs this server. Licence: Apache-2.0."
    )
    page.check("input[value=photo]", force=True)
    assert page.inner_text("#about").startswith("For photographs")
    assert page.locator("input[name=scale]:checked").get_attribute("value") == "2"
    choose_network(page, "of-the-place")
    page.wait_for_selector("#about >> text=in windows that are blended, with seams of up to")
    choose_network(page, "of-the-mean")
    page.wait_for_selector("#about >> text=It sees pictures of up to 0.26 million px as a whole,")
    row = page.locator("#other-models label").filter(has=page.locator("input[value=large]"))
    assert row.locator("input").is_disabled()
    assert "100 MB is too large for a browser" in row.inner_text()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("of-magic", "This browser cannot run the network: choose another. .*acme"),
        ("of-much-memory", "needs more memory for this picture than a browser has"),
        ("of-one-grey", "numbers were no picture. Nothing was made."),
        ("damaged", "The server cannot give this network; its log says why."),
    ],
)
def test_what_cannot_be_run_is_said_and_the_page_goes_on(browser, server, photo, name, said):
    page = browser.new_page(locale="en-US")
    page.goto(f"{server.url}/device")
    choose_network(page, name)
    halves = np.where(np.arange(256)[:, None, None] < 128, photo[:256, :256] // 8, 250)
    choose_picture(page, halves.astype(np.uint8))
    page.click("#start")
    page.wait_for_selector(".toast.error")
    assert re.search(said, page.inner_text(".toast.error"))
    choose_network(page, "mine")
    choose_picture(page, photo[:20, :30])
    page.click("#start")
    assert saved_picture(page)[0].shape == (40, 60, 3)
    page.close()


HURRIED = """async (png) => {
    const { Enlarger } = await import("/device/enlarger.js");
    const enlarger = new Enlarger({ patienceMs: 200 });
    const file = new Blob([new Uint8Array(png)]);
    const long = await new Promise((resolve) => {
        const made = enlarger.enlarge(file, "/device/weights/of-long-tiles-x2.json", () =>
            enlarger.cancel());
        made.then(() => resolve("made"), ({ code }) => resolve(code));
    });
    const { width, height } = await enlarger.enlarge(file, "/device/weights/mine-x2.json");
    return [long, width, height];
}"""


@pytest.mark.browser
def test_a_long_tile_is_ended_and_what_was_ordered_meanwhile_is_made(open_page, photo):
    page = open_page("device")
    workers = []
    page.on("worker", lambda worker: workers.append(worker.url.rpartition("/")[2]))
    made = page.evaluate(HURRIED, list(encoded(photo[:250, :256])))
    assert made == ["cancelled", 512, 500]
    assert workers.count("worker.js") == 2


@pytest.mark.browser
def test_the_list_is_reached_by_the_keyboard_and_fits_a_phone(open_page):
    page = open_page("device", viewport={"width": 360, "height": 740}, locale="en-US")
    page.wait_for_selector("#others")
    page.focus("#others-title")
    page.keyboard.press("Enter")
    page.focus("input[value=photo]")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.value")
    assert chosen not in ("photo", "fast")
    page.check(f"input[value={LONGEST_NAME}]")
    for language in ("zh-Hant", "en"):
        page.click("#language")
        page.wait_for_function("(lang) => document.documentElement.lang === lang", arg=language)
        assert page.locator(f"input[value={LONGEST_NAME}]").is_checked()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        heights = page.locator("#order label, #others-title").evaluate_all(
            "all => all.map((one) => one.getBoundingClientRect().height)"
        )
        assert min(heights) >= 44


def test_the_list_states_what_the_cards_do(in_process, networks):
    listed = {row["name"]: row["weights"] for row in in_process()("GET", "/device/models").json()}
    assert set(listed) == {*GRAPHS, "mine", "large", "damaged", *BAD}
    size = (networks / "of-the-mean-x2.onnx").stat().st_size
    (mean,) = listed["of-the-mean"]
    assert 0 < mean.pop("seam_levels") < 2
    assert mean == {
        "scale": 2,
        "licence": LICENCE,
        "source": "of-the-mean.onnx",
        "bytes": size,
        "is_too_large": False,
        "mode": "whole",
        "whole_px": WHOLE_PX,
    }
    assert [one["mode"] for one in listed["mine"]] == ["exact"]
    assert listed["mine"][0]["source"] is None
    assert [one["is_too_large"] for one in listed["large"]] == [True]


def test_files_are_given_as_they_are_and_cards_without_the_owner_s_folders(in_process, networks):
    ask = in_process()
    for name in ("mine-x2", "in-blocks-x2"):
        answer = ask("GET", f"/device/weights/{name}.onnx")
        assert answer.content == (networks / f"{name}.onnx").read_bytes()
        assert answer.headers["cache-control"] == "private, no-cache"
        card = json.loads((networks / f"{name}.json").read_text("utf-8"))
        sent = ask("GET", f"/device/weights/{name}.json").json()
        assert sent.items() <= card.items()
        assert not sent.keys() & {"training", "scores", "settings", "source"}
    for name in ("mine-x2.safetensors", "large-x2.onnx", "large-x2.json", "mine-x4.onnx"):
        assert ask("GET", f"/device/weights/{name}").status_code == 404
    assert ask("GET", "/device/weights/damaged-x2.onnx").status_code == 500


def test_a_model_that_was_replaced_has_its_new_card(in_process, add_own):
    folder = add_own("mine", 2)
    ask = in_process()
    for path in folder.glob("mine-x2*"):
        path.unlink()
    assert ask("GET", "/device/weights/mine-x2.json").status_code == 500
    add_own("mine", 4)
    (folder / "mine-x2.onnx").write_bytes((folder / "mine-x4.onnx").read_bytes())
    card = json.loads((folder / "mine-x4.json").read_text("utf-8"))
    for file in card["files"]:
        file["name"] = file["name"].replace("-x4", "-x2")
    (folder / "mine-x2.json").write_text(json.dumps(card))
    content = ask("GET", "/device/weights/mine-x2.onnx").content
    stated = ask("GET", "/device/weights/mine-x2.json").json()["files"]
    assert hashlib.sha256(content).hexdigest() in [file["sha256"] for file in stated]


@pytest.mark.usefixtures("networks")
def test_only_those_whom_the_owner_let_in_get_them(in_process):
    public = in_process(host="0.0.0.0", public_url="https://pictures.org")
    behind = {"base_url": "https://pictures.org"}
    assert public("GET", "/device/models", **behind).json() == []
    for name in ("mine-x2.onnx", "mine-x2.json"):
        assert public("GET", f"/device/weights/{name}", **behind).status_code == 404
    assert public("GET", "/device/weights/fast-x2.onnx", **behind).status_code == 200
    closed = in_process(host="0.0.0.0", token="s3cret")
    for path in ("/device/models", "/device/weights/mine-x2.json", "/device/weights/mine-x2.onnx"):
        assert closed("GET", path).status_code == 401
        assert closed("GET", path, headers={"Authorization": "Bearer wrong"}).status_code == 401
        known = closed("GET", path, headers={"Authorization": "Bearer s3cret"})
        assert known.status_code == 200
        assert "mine" in known.text or path.endswith("onnx")
