"""The page that enlarges in the browser: who may run WebAssembly, what is sent, what comes out."""

import io
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

import clearzoom
from clearzoom.errors import MissingExtraError
from clearzoom.models.photo import PLAIN_LEVEL
from clearzoom.server import device_routes
from clearzoom.weights import FOLDER, released

pytestmark = pytest.mark.browser

WASM = "'wasm-unsafe-eval'"
TIMES = "\u00d7"
SIZES = {"desktop": (1280, 800), "tablet": (820, 1100), "phone": (360, 740)}
BELOW = ("/device", "/device/worker.js", "/device/vendor/ort-wasm-simd-threaded.mjs")


@pytest.fixture
def open_page(browser, server):
    """Open a page; in the end nothing may have failed, been sent, or asked of another host."""
    contexts, wrong = [], []

    def make(path="device", *, size="desktop", **options):
        width, height = SIZES[size]
        options = {"locale": "en-US", "reduced_motion": "reduce"} | options
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: console(said))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: check(asked))
        page.goto(f"{server.url}/{path}")
        page.locator("h1:not(:empty)").first.wait_for()  # its script has run
        return page

    def console(said):
        if "damaged.png" not in said.location["url"]:  # its thumbnail cannot be made
            wrong.append(said.text)

    def check(asked):
        own = asked.url.startswith((server.url, "blob:"))
        if asked.method != "GET" or asked.post_data is not None or not own:
            wrong.append(f"{asked.method} {asked.url}")

    yield make
    for context in contexts:
        context.close()
    assert not wrong


@pytest.fixture
def lr(photo):
    return photo[80:200, 120:290]


def encoded(levels):
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    return file.getvalue()


def choose(page, content, name="mine.png"):
    page.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": content})


def saved(page):
    page.wait_for_selector("#save")
    with page.expect_download() as got:
        page.click("#save")
    with Image.open(got.value.path()) as picture:
        picture.load()
        return got.value.suggested_filename, np.asarray(picture).astype(int), picture.info


@pytest.mark.parametrize("path", BELOW)
def test_the_page_and_what_lies_below_may_run_webassembly(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert f"script-src 'self' {WASM};" in policy
    assert "'unsafe-eval'" not in policy
    assert "'unsafe-inline'" not in policy
    assert "connect-src 'self'" in policy
    assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/static/device.js",
        "/static/device.html",
        "/static/device/worker.js",
        "/devices",
        "/device%2F",
        "/Device",
        "/api/models",
        "/iiif/3/chelsea.png/info.json",
        "/nothing",
    ],
)
def test_no_other_answer_allows_webassembly(client, path):
    headers = client.get(path).headers
    assert "wasm" not in headers["content-security-policy"]
    assert "cross-origin-embedder-policy" not in headers


def test_without_the_package_of_its_runtime_it_says_what_to_install(
    in_process, monkeypatch, tmp_path
):
    monkeypatch.setattr(device_routes, "_VENDOR", tmp_path / "none")
    monkeypatch.setitem(sys.modules, "clearzoom_web", None)
    ask = in_process()
    answer = ask("GET", "/device")
    assert answer.status_code == 501
    assert answer.json()["message"] == str(MissingExtraError("enlarging in the browser", "serve"))
    assert ask("GET", "/").status_code == 200


def test_its_runtime_comes_from_the_package(in_process, monkeypatch, tmp_path):
    """Where clearzoom is no checkout."""
    vendor = device_routes._VENDOR
    package = tmp_path / "clearzoom_web"
    shutil.copytree(vendor, package, ignore=shutil.ignore_patterns("*.wasm"))
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(device_routes, "_VENDOR", tmp_path / "none")
    ask = in_process()
    assert ask("GET", "/device").status_code == 200
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        answer = ask("GET", f"/device/vendor/{name}")
        assert answer.content == (vendor / name).read_bytes()


def test_a_page_elsewhere_cannot_run_it(browser, server):
    page = browser.new_page()
    page.goto(server.url)
    empty = "new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))"
    assert "CompileError" in page.evaluate(
        f"() => {{ try {{ {empty} }} catch (e) {{ return e.name }} }}"
    )
    page.goto(f"{server.url}/device")
    assert page.evaluate(f"() => String({empty})") == "[object WebAssembly.Module]"
    page.close()


def test_released_networks_are_given_and_nothing_else_of_their_folder(client):
    for card in released():
        stem = f"{card.name}-x{card.scale}"
        for name in (f"{stem}.json", f"{stem}.onnx"):
            assert client.get(f"/device/weights/{name}").content == (FOLDER / name).read_bytes()
    for name in ("__init__.py", "photo-x4.safetensors", "no-such-x4.onnx", "..%2F__init__.py"):
        assert client.get(f"/device/weights/{name}").status_code == 404


def test_token_is_asked_for(serve, served_folder):
    server = serve(served_folder, "--token", "s3cret")
    with server.client() as client:
        for path in (*BELOW, "/device/weights/photo-x4.onnx"):
            assert client.get(path).status_code == 401
            answer = client.get(f"{path}?token=s3cret", follow_redirects=True)
            assert answer.status_code == 200
            assert path != "/device" or "token" not in str(answer.url)
            client.cookies.clear()
    server.end()


@pytest.mark.parametrize(("model", "scale"), [("photo", 4), ("fast", 2)])
def test_result_is_clearzoom_s_and_states_its_origin(open_page, lr, model, scale):
    page = open_page()
    page.check(f"input[value={model}]", force=True)
    page.check(f"input[value='{scale}']", force=True)
    choose(page, encoded(lr))
    become = f"170 {TIMES} 120 px become {170 * scale} {TIMES} {120 * scale} px"
    page.wait_for_selector(f"#plan >> text={become}")
    page.click("#start")
    name, sr, info = saved(page)
    level = PLAIN_LEVEL if model == "photo" else "auto"  # a browser leaves the file as it is
    ours = clearzoom.enlarge(lr, scale, model, consistency="none", denoise=level)
    assert name == f"mine-x{scale}.png"
    assert sr.shape == ours.shape
    assert np.abs(sr - ours).max() <= 1
    xmp = info["XML:com.adobe.xmp"]
    (card,) = (one for one in released() if (one.name, one.scale) == (model, scale))
    assert f'clearzoom:Model="{model} x{scale}"' in xmp
    assert any(f'clearzoom:WeightsSHA256="{file.sha256}"' in xmp for file in card.files)
    assert "Nothing was sent anywhere" in page.inner_text("#done")
    assert page.evaluate("crossOriginIsolated")


def test_one_keyboard_is_enough(open_page, lr):
    page = open_page()
    page.keyboard.press("Tab")
    seen = set()
    for _ in range(12):
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.name"))
        page.keyboard.press("Tab")
    assert {"language", "theme", "file", "model", "scale"} <= seen
    choose(page, encoded(lr))
    page.wait_for_function("() => document.activeElement.id === 'start'")
    page.keyboard.press("Enter")
    page.wait_for_selector("#save")
    assert page.evaluate("document.activeElement.id") == "save"
    page.focus("#peek-range")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.getElementById('peek-picture').style.cssText").startswith(
        "--split: 51%"
    )


def test_cancelled_and_done_again(open_page, photo):
    page = open_page()
    choose(page, encoded(np.tile(photo, (5, 2, 1))))
    page.click("#start")
    page.wait_for_selector("#part >> text=of")
    page.click("#cancel")
    page.wait_for_selector(".toast >> text=Cancelled.")
    assert page.locator("#result").is_hidden()
    page.context.set_offline(True)  # what was loaded is not asked for again
    choose(page, encoded(photo[:20, :30]), "small.png")
    page.click("#start")
    assert saved(page)[1].shape == (80, 120, 3)


def test_the_picture_chosen_last_is_the_one_that_is_enlarged(open_page, photo):
    page = open_page()
    page.evaluate(
        """() => {
            const decode = HTMLImageElement.prototype.decode;
            const held = [];
            window.goOn = (index) => held[index]();
            HTMLImageElement.prototype.decode = async function () {
                await new Promise((done) => held.push(done));
                return decode.call(this);
            };
        }"""
    )
    choose(page, encoded(photo[:30, :40]), "first.png")
    page.evaluate("goOn(0)")
    page.wait_for_selector("#start")
    choose(page, encoded(photo), "slow.png")
    assert page.locator("#start").is_hidden()
    choose(page, encoded(photo[:20, :30]), "last.png")
    page.evaluate("goOn(2)")
    page.wait_for_selector("#name >> text=last.png")
    page.evaluate("goOn(1)")
    page.wait_for_timeout(300)
    page.click("#start")
    name, sr, _ = saved(page)
    assert name == "last-x4.png"
    assert sr.shape == (80, 120, 3)


def test_what_cannot_be_read_is_said(open_page):
    page = open_page()
    choose(page, b"no picture")
    page.wait_for_selector(".toast >> text=cannot read that as a picture")
    assert page.locator("#chosen").is_hidden()


def test_zoom_page_leads_there_and_a_served_picture_comes_along(open_page, photo):
    page = open_page("")
    page.click("text=Compute on this device")
    page.wait_for_selector("h1 >> text=Compute on this device")
    page.click("text=All pictures")
    page.goto(f"{page.url}#picture=grey.png")
    page.click("#download-open")
    page.click("#download-here")
    page.wait_for_selector("#chosen")
    assert page.inner_text("#name") == "grey.png"
    page.click("#start")
    _, sr, _ = saved(page)
    assert sr.shape == (360, 480, 3)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_screen_in_both_languages(open_page, lr, size, scheme):
    page = open_page("device?lang=zh-Hant", size=size, color_scheme=scheme)
    assert page.inner_text("h1") == "在這台裝置上計算"
    assert page.get_attribute("html", "data-theme") == scheme
    choose(page, encoded(lr))
    page.wait_for_selector("#chosen")
    for title in ("Compute on this device", "在這台裝置上計算"):
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0
        small = page.evaluate(
            "[...document.querySelectorAll('button, a, .segments label')]"
            ".filter((one) => one.checkVisibility())"
            ".map((one) => [one.textContent.trim(), one.getBoundingClientRect().height])"
            ".filter(([, height]) => height < 44)"
        )
        assert not small
        page.click("#language")
        page.wait_for_selector(f"h1 >> text={title}")
