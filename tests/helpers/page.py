"""What the tests of the page in a real Chromium share."""

import base64
import io
import re

import numpy as np
from PIL import Image

DESKTOP = {"width": 1280, "height": 800}
WAIT_MS = 120_000  # the first tiles load a network, on a machine that does much else
DAMAGED = "damaged.png"  # its thumbnail cannot be made
GONE = "gone.png"  # is not there
TIMES = "\u00d7"

RESTS = """frames => {
    if (typeof OpenSeadragon === "undefined") return false;
    const [viewer, canvas] = ["viewer", "canvas"].map((id) => document.getElementById(id));
    const stage = canvas && OpenSeadragon.getViewer(canvas);
    if (!stage) return false;
    const { world, viewport } = stage;
    const layers = Array.from({ length: world.getItemCount() }, (_, i) => world.getItemAt(i));
    const isStill = !viewer.classList.contains("vacant")
        && document.getElementById("working").hidden
        && viewport.getContainerSize().x === canvas.clientWidth
        && layers.length > 0
        && layers.every((one) => one.getOpacity() === 0 || one.getFullyLoaded())
        && !world.needsDraw();
    window.stillFrames = isStill ? (window.stillFrames ?? 0) + 1 : 0;
    return window.stillFrames >= frames;
}"""


def settled(page):
    """Wait until all that the view wants has arrived and is drawn."""
    page.evaluate("() => { window.stillFrames = 0; }")
    page.wait_for_function(RESTS, arg=5)  # a key that was just pressed counts in the next frame


def zoom_percent(page):
    return int(re.sub(r"\D", "", page.text_content("#zoom-figure")))


def shot(page):
    """The pixels of the picture on the stage, without what lies upon it."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    address = page.evaluate("document.querySelector('#canvas canvas').toDataURL()")
    with Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def fineness(pixels):
    """Mean difference of neighbours."""
    return np.abs(np.diff(pixels, axis=1)).mean()
