"""PSNR against LPIPS from strength 0 to 1, and crops side by side, as in docs/perceptual.md.

All pictures are what the plain command gives.

Usage: python benchmarks/strength.py FOLDER [MODEL]   (FOLDER holds Set5 and Set14)
"""

import sys
from pathlib import Path

import numpy as np
from asked import settings_of
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from clearzoom.core.resize import reduce_for_protocol
from clearzoom.io.picture import Samples
from clearzoom.metrics.evaluate import evaluate
from clearzoom.metrics.methods import LrPicture, Method
from clearzoom.metrics.protocol import crop_to_multiple
from clearzoom.pipeline.command_method import as_command

FIGURE = Path(__file__).parents[1] / "docs" / "images" / "strength.png"
CROPS = {"astronaut": (160, 70), "coffee": (470, 20), "chelsea": (240, 90)}  # left, top, px of HR
SIDE_PX, ZOOM = 100, 3
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
SCALE = 4


def command(model: str, strength: float) -> Method:
    """The plain command at a strength."""
    return as_command(settings_of(f"{model}@{strength}", SCALE))


def print_scores(folder: Path, model: str) -> None:
    """The protocol's columns and LPIPS."""
    for name in ("Set5", "Set14"):
        commands = [command(model, strength) for strength in STRENGTHS]
        for row in evaluate(folder / name, SCALE, commands, lpips=True):
            print(
                f"{name} x{SCALE} {row.model}: {row.psnr_db:.2f} dB, SSIM {row.ssim:.4f}, "
                f"LPIPS {row.lpips:.4f}"
            )


def crop(picture: Samples, left: int, top: int) -> Image.Image:
    """A part, each px as a square."""
    part = np.ascontiguousarray(picture[top : top + SIDE_PX, left : left + SIDE_PX])
    return Image.fromarray(part).resize((SIDE_PX * ZOOM,) * 2, Image.Resampling.NEAREST)


def save_figure(model: str) -> None:
    """A row for each picture: what was given, PSNR weights, half, perceptual weights, truth."""
    titles = ("given", "strength 0 (PSNR)", "strength 0.5", "strength 1", "truth")
    side, head = SIDE_PX * ZOOM + 4, 24
    sheet = Image.new("RGB", (side * len(titles) - 4, head + side * len(CROPS) - 4), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for column, title in enumerate(titles):
        draw.text((column * side + 4, 2), title, "black", font)
    for row, (name, (left, top)) in enumerate(CROPS.items()):
        hr = crop_to_multiple(getattr(data, name)(), SCALE)
        lr = reduce_for_protocol(hr, SCALE)
        made = [command(model, strength).enlarge(LrPicture(lr)) for strength in (0.0, 0.5, 1.0)]
        given = lr.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
        for column, picture in enumerate((given, *made, hr)):
            sheet.paste(crop(picture, left, top), (column * side, head + row * side))
    sheet.save(FIGURE)
    print(FIGURE)


def main() -> None:
    """Measure, print and draw."""
    model = sys.argv[2] if len(sys.argv) > 2 else "photo-crisp"
    save_figure(model)
    print_scores(Path(sys.argv[1]), model)


if __name__ == "__main__":
    main()
