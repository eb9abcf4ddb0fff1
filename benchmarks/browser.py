"""Seconds for an output megapixel in Chromium, beside onnxruntime on the same threads.

python benchmarks/browser.py
"""

import io
import shutil
import statistics
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from clearzoom.weights import find

ROOT = Path(__file__).parent.parent
ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
SIDE_PX, RUNS = 256, 5
MEGAPIXELS = (4 * SIDE_PX) ** 2 / 1e6
ENLARGE = """async (png) => {
    const { Enlarger } = await import("/src/clearzoom/server/page/device/enlarger.js");
    window.enlarger ??= new Enlarger();
    const file = new Blob([new Uint8Array(png)]);
    const began = performance.now();
    const done = await enlarger.enlarge(file, "/src/clearzoom/weights/photo-x4.json");
    return [(performance.now() - began) / 1000, done.threads];
}"""


class Files(SimpleHTTPRequestHandler):
    """The repository's files."""

    isolated = False
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def end_headers(self) -> None:
        """Isolate the page where threads are wanted."""
        for name, value in ISOLATED.items() if Files.isolated else ():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def in_chromium(address: str, png: bytes) -> tuple[float, int]:
    """Median seconds of a picture, decoding and PNG included, and the threads."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{address}/examples/browser/")
        runs = [page.evaluate(ENLARGE, list(png)) for _ in range(RUNS + 1)][1:]
        browser.close()
    return statistics.median(seconds for seconds, _ in runs), runs[0][1]


def natively(lr: np.ndarray, threads: int) -> float:
    """Median seconds of the network alone."""
    import onnxruntime  # after clearzoom, so that it reports nothing

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(find("photo", 4), options)
    x = (lr.transpose(2, 0, 1)[None] / 255 - 0.5).astype(np.float32)
    runs = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        session.run(None, {"lr": x})
        runs.append(time.perf_counter() - began)
    return statistics.median(runs[1:])


def main() -> None:
    """Print a row for one thread and one for several."""
    with Image.open(ROOT / "examples" / "chelsea.png") as picture:
        crop = picture.convert("RGB").crop((100, 20, 100 + SIDE_PX, 20 + SIDE_PX))
    file = io.BytesIO()
    crop.save(file, "PNG")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=ROOT)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        print("threads  s/MP in Chromium  s/MP of onnxruntime")
        for isolated in (False, True):
            Files.isolated = isolated
            seconds, threads = in_chromium(
                f"http://127.0.0.1:{server.server_port}", file.getvalue()
            )
            own = natively(np.asarray(crop), threads)
            print(f"{threads:7}  {seconds / MEGAPIXELS:16.2f}  {own / MEGAPIXELS:19.2f}")
        server.shutdown()


if __name__ == "__main__":
    main()
