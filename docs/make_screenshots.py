"""Write the pictures of the page in docs/images: python docs/make_screenshots.py."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).with_name("images")
EXAMPLE = Path(__file__).parent.parent / "examples" / "chelsea.png"
EYE = "#picture=chelsea.png&zoom=600&x=0.385&y=0.41"
DESKTOP, PHONE = (1280, 800), (360, 740)
MOST_BYTES = 400_000
WAIT_MS = 120_000


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Start the real server on a folder; gives its address."""
    program = [sys.executable, "-m", "clearzoom", "serve", str(folder), "--port", "0"]
    program += ["--cache", str(folder.with_name("cache"))]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        try:
            assert found is not None, "the server did not start"
            yield found[0]
        finally:
            process.terminate()


def shoot(
    browser: Browser, address: str, name: str, size: tuple[int, int], ready: str, density: int = 1
) -> None:
    """Write one picture once ``ready``, a JavaScript condition, holds."""
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=density,
        has_touch=density > 1,
        is_mobile=density > 1,
        reduced_motion="reduce",
        locale="en-US",
    )
    page.goto(address)
    page.wait_for_function(f"() => {ready}", timeout=WAIT_MS)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)  # the last tiles are drawn
    target = IMAGES / f"{name}.jpg"
    page.screenshot(path=target, type="jpeg", quality=88)
    page.close()
    assert target.stat().st_size < MOST_BYTES, f"{target} is too large"


def main() -> None:
    """Write all."""
    drawn = (
        "document.getElementById('zoom-figure')?.textContent"
        " && document.getElementById('working').hidden"
    )
    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        folder = Path(root) / "pictures"
        folder.mkdir()
        shutil.copy(EXAMPLE, folder)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        with served(folder) as url:
            there = "document.querySelector('#peek-after.there')"
            shoot(browser, url, "zoom-gallery", DESKTOP, there)
            shoot(browser, f"{url}{EYE}&mode=compare", "zoom-page", DESKTOP, drawn)
            phone = EYE.replace("600", "900").replace("0.385", "0.4")
            shoot(browser, f"{url}{phone}&mode=lens", "zoom-phone", PHONE, drawn, density=2)
        browser.close()


if __name__ == "__main__":
    main()
