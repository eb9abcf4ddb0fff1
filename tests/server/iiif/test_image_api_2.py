"""IIIF Image API 2.1 beside 3.0: what its info.json, links and answers say, on the real server."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearzoom.server

OPENSEADRAGON = Path(clearzoom.server.__file__).parent / "page" / "vendor" / "openseadragon.min.js"
VIEW = """(tileSources) => {
    window.viewer = OpenSeadragon({ id: "viewer", tileSources, showNavigationControl: false,
                                    animationTime: 0, immediateRender: true });
}"""
BASE = "/iiif/2/chelsea.png"
LINKED = "application/ld+json"


def pixels(answer):
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_the_description(client, server):
    answer = client.get(f"{BASE}/info.json")
    info = answer.json()
    own = info.pop("clearzoom")
    assert info == {
        "@context": "http://iiif.io/api/image/2/context.json",
        "@id": f"{server.url}{BASE}",
        "protocol": "http://iiif.io/api/image",
        "width": 451,
        "height": 300,
        "sizes": [{"width": 451, "height": 300}],
        "tiles": [{"width": 512, "scaleFactors": [1]}],
        "profile": [
            "http://iiif.io/api/image/2/level2.json",
            {
                "formats": ["jpg", "png", "webp", "avif"],
                "qualities": ["default", "color", "gray", "bitonal"],
                "supports": [
                    "canonicalLinkHeader",
                    "mirroring",
                    "profileLinkHeader",
                    "rotationArbitrary",
                    "regionSquare",
                    "sizeAboveFull",
                ],
                "maxWidth": 8192,
                "maxHeight": 8192,
                "maxArea": 16_000_000,
            },
        ],
    }
    assert own["virtual"][0] == f"{server.url}{BASE}~x2"


def test_a_virtual_picture(client, server):
    info = client.get(f"{BASE}~x4/info.json").json()
    assert (info["@id"], info["width"]) == (f"{server.url}{BASE}~x4", 1804)
    assert info["clearzoom"]["source"] == f"{server.url}{BASE}"
    assert info["tiles"] == [{"width": 512, "scaleFactors": [1, 2, 4]}]


def test_the_base_leads_to_the_description(client, server):
    answer = client.get(f"{BASE}~x2")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{server.url}{BASE}~x2/info.json"
    assert client.get("/iiif/4/chelsea.png/info.json").status_code == 404
    assert client.get("/iiif/chelsea.png/info.json").status_code == 404


@pytest.mark.parametrize(
    ("accept", "linked"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        (LINKED, True),
        (f"text/html, {LINKED};q=0.5", True),
        (f"{LINKED};q=0", False),
    ],
)
def test_json_unless_linked_data_is_asked_for(client, accept, linked):
    client.headers.pop("accept")
    headers = {} if accept is None else {"Accept": accept}
    answer = client.get(f"{BASE}/info.json", headers=headers)
    assert answer.headers["content-type"] == (LINKED if linked else "application/json")
    assert "Accept" in answer.headers["vary"].split(", ")
    context = '<http://iiif.io/api/image/2/context.json>;rel="http://www.w3.org/ns/json-ld#context"'
    assert (context in answer.headers["link"]) is not linked
    assert '<http://iiif.io/api/image/2/level2.json>;rel="profile"' in answer.headers["link"]


def test_version_3_is_linked_data_as_before(client):
    client.headers.pop("accept")
    media = 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"'
    assert client.get("/iiif/3/chelsea.png/info.json").headers["content-type"] == media
    plain = client.get("/iiif/3/chelsea.png/info.json", headers={"Accept": "application/json"})
    assert plain.headers["content-type"] == "application/json"
    assert plain.json()["extraFormats"] == ["webp", "avif"]
    assert "rotationArbitrary" in plain.json()["extraFeatures"]


def test_links_of_an_image(client, server):
    answer = client.get(f"{BASE}/0,0,451,300/!225,400/90/default.png")
    link = f'<{server.url}{BASE}/full/225,/90/default.png>;rel="canonical"'
    assert link in answer.headers["link"]
    assert '<http://iiif.io/api/image/2/level2.json>;rel="profile"' in answer.headers["link"]


def test_the_same_pixels_as_version_3(client):
    for ours, theirs in (
        ("full/full", "full/max"),
        ("10,20,100,80/50,", "10,20,100,80/50,"),
        ("square/pct:50", "square/pct:50"),
        ("0,0,60,40/120,", "0,0,60,40/^120,"),
    ):
        two = client.get(f"{BASE}/{ours}/0/default.png")
        three = client.get(f"/iiif/3/chelsea.png/{theirs}/0/default.png")
        assert two.content == three.content
        for name in ("etag", "x-clearzoom-pixels"):
            assert two.headers[name] == three.headers[name]


def test_more_px_than_the_region_has_are_inferred(client):
    answer = client.get(f"{BASE}/0,0,40,30/pct:200/0/default.png")
    assert pixels(answer).shape == (60, 80, 3)
    assert answer.headers["x-clearzoom-pixels"] == "inferred"
    best_fit = client.get(f"{BASE}/0,0,40,30/!80,80/0/default.png")
    assert pixels(best_fit).shape == (30, 40, 3)
    assert best_fit.headers["x-clearzoom-pixels"] == "original"


@pytest.mark.parametrize(
    "part", ["full/^max", "full/9000,", "full/pct:3000", "full/0,", "x/full", "full/!9,"]
)
def test_what_it_refuses(client, part):
    answer = client.get(f"{BASE}/{part}/0/default.jpg")
    assert (answer.status_code, answer.json()["code"]) == (400, "request")


def test_an_owner_who_wants_nothing_inferred(in_process, tmp_path, png):
    folder = tmp_path / "marked"
    folder.mkdir()
    (folder / "cat.png").write_bytes(png(40, 30))
    rights = "https://example.org/rights"
    (folder / "clearzoom.toml").write_text(
        f'upscaling = false\nrights = "{rights}"\nattribution = "The museum"'
    )
    ask = in_process(folder=folder)
    info = ask("GET", "/iiif/2/cat.png/info.json").json()
    assert "sizeAboveFull" not in info["profile"][1]["supports"]
    assert "virtual" not in info["clearzoom"]
    assert (info["license"], info["attribution"]) == (rights, "The museum")
    assert ask("GET", "/iiif/2/cat.png/full/41,/0/default.jpg").status_code == 501
    assert ask("GET", "/iiif/2/cat.png/full/!400,400/0/default.jpg").status_code == 200
    assert ask("GET", "/iiif/2/cat.png~x2/info.json").status_code == 501


def test_other_sites_can_read_it(client):
    answer = client.get(f"{BASE}/info.json", headers={"Origin": "https://museum.org"})
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.browser
def test_openseadragon_zooms_into_inferred_pixels(browser, server):
    context = browser.new_context(viewport={"width": 800, "height": 600}, bypass_csp=True)
    page, answers = context.new_page(), []
    page.on("response", lambda answer: answers.append(answer) if "/iiif/2/" in answer.url else None)
    page.goto(f"{server.url}/healthz")
    page.set_content('<div id="viewer" style="position:absolute;inset:0"></div>')
    page.add_script_tag(path=OPENSEADRAGON)
    page.evaluate(VIEW, f"{server.url}/iiif/2/tiled.tif~x4/info.json")
    page.wait_for_function("window.viewer.world.getItemAt(0)?.getFullyLoaded()", timeout=60_000)
    kinds = {answer.headers.get("x-clearzoom-pixels") for answer in answers}
    assert kinds <= {None, "original", "reduced"}
    page.evaluate("window.viewer.viewport.zoomTo(window.viewer.viewport.imageToViewportZoom(1))")
    page.wait_for_timeout(500)
    page.wait_for_function("window.viewer.world.getItemAt(0).getFullyLoaded()", timeout=60_000)
    assert all(answer.status == 200 for answer in answers)
    assert "inferred" in {answer.headers.get("x-clearzoom-pixels") for answer in answers}
    context.close()
