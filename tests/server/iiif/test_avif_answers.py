"""AVIF answers: their pixels and colours, as Pillow, libvips and a browser decode them."""

import io

import numpy as np
import pytest
import pyvips
from PIL import Image

PART = "square/200,/0"
DECODE = """async (url) => {
    const answer = await fetch(url);
    const picture = await createImageBitmap(await answer.blob());
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    return Array.from(context.getImageData(0, 0, picture.width, picture.height).data);
}"""


def pixels(answer):
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA")).astype(int)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("quality", ["default", "gray", "bitonal"])
def test_the_same_picture_as_in_png(client, version, quality):
    answers = [
        client.get(f"/iiif/{version}/chelsea.png/{PART}/{quality}.{suffix}")
        for suffix in ("png", "avif", "jpg")
    ]
    assert answers[1].headers["content-type"] == "image/avif"
    assert len({answer.headers["etag"] for answer in answers}) == 3
    png, avif, jpg = map(pixels, answers)
    assert avif.shape == png.shape == (200, 200, 4)
    assert (avif[..., 3] == 255).all()
    # Not worse than JPEG, and without a cast in any channel.
    assert np.abs(avif - png).mean() <= np.abs(jpg - png).mean() + 0.5
    assert np.abs((avif - png).mean((0, 1))).max() < 0.5
    image = pyvips.Image.new_from_buffer(answers[1].content, "")
    assert image.get("heif-bitdepth") == 8
    assert np.abs(image.numpy()[..., :3] - avif[..., :3]).max() <= 1


def test_a_wide_gamut_becomes_srgb(in_process, tmp_path, photo):
    folder = tmp_path / "wide"
    folder.mkdir()
    part = pyvips.Image.new_from_array(np.ascontiguousarray(photo[:64, :80]))
    wide = part.icc_transform("p3", input_profile="srgb", embedded=False)
    wide.pngsave(str(folder / "wide.png"), keep="icc")
    ask = in_process(folder=folder)
    png, avif = (
        ask("GET", f"/iiif/3/wide.png/full/max/0/default.{suffix}") for suffix in ("png", "avif")
    )
    far = pixels(avif)[..., :3] - photo[:64, :80].astype(int)
    assert np.abs(far.mean((0, 1))).max() < 1
    assert np.abs(pixels(png)[..., :3] - photo[:64, :80].astype(int)).mean() < 1.5


def test_transparency(client):
    png, avif = (
        pixels(client.get(f"/iiif/3/deep.tif/full/max/0/default.{suffix}"))
        for suffix in ("png", "avif")
    )
    assert np.abs(avif[..., 3] - png[..., 3]).max() <= 6
    opaque = png[..., 3] > 128
    assert np.abs(avif - png)[opaque].mean() < 4


def test_tiles_of_deep_zoom(client):
    level = "/dzi/chelsea.png~x4_files/8/0_0"
    png, avif = (client.get(f"{level}.{suffix}") for suffix in ("png", "avif"))
    assert avif.headers["content-type"] == "image/avif"
    assert np.abs(pixels(avif) - pixels(png)).mean() < 4


@pytest.mark.browser
def test_a_browser_sees_the_same_colours(browser, server, client):
    page = browser.new_page()
    page.goto(f"{server.url}/healthz")
    url = f"{server.url}/iiif/3/chelsea.png/{PART}/default.avif"
    seen = np.array(page.evaluate(DECODE, url)).reshape(200, 200, 4)
    page.close()
    assert np.abs(seen - pixels(client.get(url))).max() <= 2
