"""Make LR pictures as people have them: blurred, resized by other kernels, noisy, compressed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import pyvips
from pydantic import BaseModel, ConfigDict, Field

from clearzoom.core.resize import reduce_for_protocol
from clearzoom.io.compression import compressed

Image = npt.NDArray[np.uint8]
Reduction = Literal["box", "linear", "cubic", "mitchell", "lanczos2", "lanczos3"]
Share = Annotated[float, Field(ge=0, le=1)]
Range = tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]]

_KERNEL_REACH = 3.0


class Degradation(BaseModel):
    """The ``[degradation]`` section: how the LR versions of each picture are drawn.

    Each fault strikes with its own share of versions. Blur, noise and one compression come in
    random order; the reduction comes first, or after a blur that leads; a second compression may
    close. Ranges are drawn evenly.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    versions: Annotated[int, Field(ge=1)] = 6
    """LR pictures made of each HR picture."""
    clean_share: Share = 0.25
    """Of versions that are the protocol's bicubic and nothing else: sharp input stays sharp."""
    reductions: tuple[Reduction, ...] = ("box", "linear", "cubic", "mitchell", "lanczos3")
    """Kernels of the others; each version draws one."""
    blur_share: Share = 0.5
    """Of versions that are blurred."""
    blur_sigma_px: Range = (0.2, 1.2)
    """Of a Gaussian, in LR px; each axis of its own, turned by a random angle."""
    noise_share: Share = 0.4
    """Of versions with Gaussian noise."""
    noise_sigma_levels: Range = (0.5, 6.0)
    """Levels of 255."""
    grey_noise_share: Share = 0.4
    """Of noisy versions whose noise is equal in R, G and B."""
    compression_share: Share = 0.8
    """Of versions that are compressed once."""
    second_compression_share: Share = 0.2
    """Of versions that are compressed once more at the end."""
    webp_share: Share = 0.25
    """Of compressions that are WebP; the others are JPEG."""
    quality: Range = (30, 95)
    """Of JPEG and WebP."""


def _blur(image: pyvips.Image, sigma_px: npt.NDArray[np.float64], angle: float) -> pyvips.Image:
    reach = int(np.ceil(_KERNEL_REACH * sigma_px.max()))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    kernel = np.exp(-0.5 * ((along / sigma_px[0]) ** 2 + (across / sigma_px[1]) ** 2))
    return image.conv(pyvips.Image.new_from_array((kernel / kernel.sum()).tolist()))


def _compressed(image: pyvips.Image, kind: Literal["jpg", "webp"], quality: float) -> pyvips.Image:
    return _picture(compressed(image.numpy(), kind, round(quality)))


def _picture(levels: Image) -> pyvips.Image:
    return pyvips.Image.new_from_array(np.ascontiguousarray(levels), interpretation="srgb")


def _reduce(image: pyvips.Image, scale: int, kernel: Reduction) -> pyvips.Image:
    if kernel == "box":
        return image.shrink(scale, scale)
    return image.resize(1 / scale, kernel=kernel)


def _rounded(image: pyvips.Image) -> pyvips.Image:
    return (image.cast("float") + 0.5).floor().cast("uchar").copy(interpretation="srgb")


def degrade(hr: Image, scale: int, wanted: Degradation, seed: Sequence[int]) -> Image:
    """Draw one LR version of a picture.

    Args:
        hr: (H, W, 3) uint8 sRGB, H and W multiples of scale.
        scale: the reduction.
        wanted: what may happen.
        seed: all that the result depends on, beside hr.

    Returns:
        (H / scale, W / scale, 3) uint8.
    """
    random = np.random.default_rng(list(seed))
    if random.random() < wanted.clean_share:
        return reduce_for_protocol(hr, scale)
    kernel = wanted.reductions[random.integers(len(wanted.reductions))]
    sigma_px, angle = random.uniform(*wanted.blur_sigma_px, 2), random.uniform(0, np.pi)
    sigma_levels, grey = random.uniform(*wanted.noise_sigma_levels), random.random()
    kinds: list[Literal["jpg", "webp"]] = [
        "webp" if random.random() < wanted.webp_share else "jpg" for _ in range(2)
    ]
    qualities = random.uniform(*wanted.quality, 2)
    struck = {
        "blur": random.random() < wanted.blur_share,
        "noise": random.random() < wanted.noise_share,
        "compress": random.random() < wanted.compression_share,
    }
    noise_seed = int(random.integers(2**31))
    faults = [fault for fault, happens in struck.items() if happens]
    order = [*random.permutation(faults), "reduce"]
    at = int(random.integers(2)) if order[0] == "blur" else 0
    order.insert(at, order.pop())
    image = _picture(hr)
    lr_px = scale  # in pixels of the picture as it stands
    for fault in order:
        match fault:
            case "reduce":
                image, lr_px = _rounded(_reduce(image, scale, kernel)), 1
            case "blur":
                image = _rounded(_blur(image, sigma_px * lr_px, angle))
            case "noise":
                spread = np.random.default_rng(noise_seed)
                bands = 1 if grey < wanted.grey_noise_share else 3
                shape = (image.height, image.width, bands)
                grains = spread.normal(0, sigma_levels, shape).astype(np.float32)
                noisy = image.numpy() + np.broadcast_to(grains, (*shape[:2], 3))
                levels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
                image = _picture(levels)
            case "compress":
                image = _compressed(image, kinds[0], qualities[0])
    if struck["compress"] and random.random() < wanted.second_compression_share:
        image = _compressed(image, kinds[1], qualities[1])
    pixels: Image = image.numpy()
    return pixels


def degrade_all(
    pictures: npt.NDArray[np.uint8], scale: int, wanted: Degradation, seed: int
) -> npt.NDArray[np.uint8]:
    """Draw all versions of all pictures, on all cores.

    Args:
        pictures: (N, H, W, 3) uint8.
        scale: the reduction.
        wanted: what may happen, and how many versions.
        seed: version v of picture i depends on (seed, v, i) alone.

    Returns:
        (versions * N, H / scale, W / scale, 3) uint8, the first version of all pictures first.
    """
    places = [(version, i) for version in range(wanted.versions) for i in range(len(pictures))]

    def one(place: tuple[int, int]) -> Image:
        return degrade(pictures[place[1]], scale, wanted, (seed, *place))

    with ThreadPoolExecutor() as pool:
        return np.stack(list(pool.map(one, places)))
