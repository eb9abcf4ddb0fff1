"""When the page of ``clearzoom serve`` shows its words and pictures on a slow line, in Chromium.

    python benchmarks/slow_line.py ../shared/data/test/Set14

Each round has an empty cache in the browser. The server has made the pictures before.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from serve import serving

_ROUNDS = 5
_LATENCY_MS, _BYTES_A_SECOND = 400, 50_000
_PHONE = {"width": 390, "height": 844}
_STEPS = {
    "words": "document.querySelector('h1')?.textContent.trim()",
    "first card": "document.querySelector('#shelves li, #shelves a') !== null",
    "its picture": "[...document.querySelectorAll('#shelves img')].some(i => i.naturalWidth > 0)",
}


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    chromium = shutil.which("chromium")
    with (
        tempfile.TemporaryDirectory() as cache,
        serving(folder, Path(cache), "fast") as (host, port, _),
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        rounds = [one_round(browser, f"http://{host}:{port}/") for _ in range(_ROUNDS + 1)][1:]
    for step, seconds in zip(_STEPS, zip(*rounds, strict=True), strict=True):
        print(f"{step:12} {statistics.median(seconds):5.2f} s")


def one_round(browser: Browser, url: str) -> list[float]:
    """Return the seconds until each step."""
    context = browser.new_context(viewport=_PHONE, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    speeds = {"downloadThroughput": _BYTES_A_SECOND, "uploadThroughput": _BYTES_A_SECOND}
    conditions = {"offline": False, "latency": _LATENCY_MS} | speeds
    line.send("Network.emulateNetworkConditions", conditions)
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    ends = []
    for shown in _STEPS.values():
        page.wait_for_function(shown)
        ends.append(time.perf_counter() - began)
    context.close()
    return ends


if __name__ == "__main__":
    main()
