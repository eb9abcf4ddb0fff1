"""Measure a network on a folder of HR pictures by the protocol, beside bicubic."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from clearzoom.checked import AnyPath, checked_arguments
from clearzoom.core.arrays import Levels
from clearzoom.core.resize import reduce_for_protocol
from clearzoom.engines.network import Network
from clearzoom.errors import ConfigError, SizeError, UnreadablePictureError
from clearzoom.io.compression import decoded, encoded
from clearzoom.io.folder import files_sha256, picture_files
from clearzoom.io.reading import decode_rgb8
from clearzoom.metrics.faults import RECIPE, Kind, spoil_to_store
from clearzoom.metrics.methods import LrPicture, Method, bicubic, of_network
from clearzoom.metrics.protocol import Score, crop_to_multiple, score
from clearzoom.weights.card import Scores


@dataclass(frozen=True)
class Row:
    """The scores of one method on one data set; ``pictures`` holds (file name, score)."""

    model: str
    weights_sha256: str | None
    data: str
    data_sha256: str
    scale: int
    pictures: tuple[tuple[str, Score], ...]

    @property
    def psnr_db(self) -> float:
        """The mean over the pictures, dB."""
        return float(np.mean([score.psnr_db for _, score in self.pictures]))

    @property
    def ssim(self) -> float:
        """The mean over the pictures."""
        return float(np.mean([score.ssim for _, score in self.pictures]))

    @property
    def rmse_percent(self) -> float:
        """The mean over the pictures, percent of the full range."""
        return float(np.mean([score.rmse_percent for _, score in self.pictures]))

    @property
    def lpips(self) -> float | None:
        """The mean over the pictures; None where it was not measured."""
        values = [score.lpips for _, score in self.pictures if score.lpips is not None]
        return float(np.mean(values)) if values else None

    def as_scores(self) -> Scores:
        """Return the row in the form of a model card."""
        return Scores(
            model=self.model,
            data=self.data,
            data_sha256=self.data_sha256,
            scale=self.scale,
            pictures=len(self.pictures),
            psnr_db=round(self.psnr_db, 4),
            ssim=round(self.ssim, 5),
            rmse_percent=round(self.rmse_percent, 4),
            lpips=None if self.lpips is None else round(self.lpips, 4),
        )


def _decoded(files: list[Path]) -> Iterator[tuple[str, Levels]]:
    for path in files:
        try:
            yield path.name, decode_rgb8(path.read_bytes())
        except UnreadablePictureError as error:
            raise UnreadablePictureError(
                f"{path}: {error}; mend it, or measure on a folder without it"
            ) from error


def _load_lpips() -> Callable[[Levels, Levels, int], float]:
    from clearzoom.metrics.lpips import Lpips, lpips  # imports torch

    return partial(lpips, measure=Lpips())


def _lr_picture(
    hr: Levels, scale: int, jpeg_quality: int | None, faults: Kind | None, name: str
) -> LrPicture:
    """Make the LR picture, with the file that it is stored in."""
    if faults is None:
        pixels, quality = reduce_for_protocol(hr, scale), jpeg_quality
    else:
        pixels, quality = spoil_to_store(hr, scale, faults, name)
    if quality is None:
        return LrPicture(pixels)
    content = encoded(pixels, "jpg", quality, "auto" if faults is None else "4:2:0")
    return LrPicture(decoded(content), content, ".jpg")


@checked_arguments()
def evaluate(
    folder: AnyPath,
    scale: Annotated[int, Field(ge=1)],
    methods: Sequence[Network | Method] = (),
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] | None = None,
    progress: Callable[[int, int], None] | None = None,
    lpips: bool = False,
    faults: Kind | None = None,
) -> list[Row]:
    """Score bicubic and other methods.

    Args:
        folder: a folder of HR pictures.
        scale: of the enlargement.
        methods: methods of that scale: networks, or ``pipeline.command_method.plain_command``.
        jpeg_quality: compress the LR pictures first. This is no longer the protocol, and the rows
            state it.
        progress: a function that is called with (pictures done, pictures in all).
        lpips: also measure LPIPS (AlexNet) of the RGB pictures, shaved in the same way.
        faults: make the LR pictures by ``faults-1`` and not by the protocol's reduction.

    Returns:
        Bicubic's row first, then the methods'.

    Raises:
        InputError: an argument has a wrong type or value.
        MissingFileError: the folder does not exist or contains no picture, or LPIPS has no weights.
        MissingExtraError: LPIPS needs torch, which is not installed.
        UnreadablePictureError: a picture is damaged; the message names it.
        SizeError: a picture is too small to be scored.
        ConfigError: both jpeg_quality and faults are set.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from PIL import Image
        >>> with TemporaryDirectory() as folder:
        ...     Image.radial_gradient("L").save(Path(folder, "hr.png"))
        ...     (bicubic,) = evaluate(Path(folder), scale=4)
        >>> bicubic.model, bicubic.psnr_db > 40
        ('bicubic', True)
    """
    if jpeg_quality is not None and faults is not None:
        raise ConfigError("faults include their own compression; choose faults or a JPEG quality")
    files = picture_files(folder)
    distance = _load_lpips() if lpips else None
    data = folder.resolve().name
    if jpeg_quality is not None:
        data += f", LR as JPEG {jpeg_quality}"
    if faults is not None:
        data += f", {RECIPE} {faults}"
    digest = files_sha256(files)
    measured = [
        bicubic(scale),
        *(each if isinstance(each, Method) else of_network(each) for each in methods),
    ]
    scores: list[list[tuple[str, Score]]] = [[] for _ in measured]
    for done, (name, picture) in enumerate(_decoded(files), 1):
        try:
            hr = crop_to_multiple(picture, scale)
            lr = _lr_picture(hr, scale, jpeg_quality, faults, Path(name).stem)
            for method, row in zip(measured, scores, strict=True):
                sr = method.enlarge(lr)
                result = score(sr, hr, scale)
                if distance is not None:
                    result = replace(result, lpips=distance(sr, hr, scale))
                row.append((name, result))
        except SizeError as error:
            raise SizeError(f"{name}: {error}") from error
        if progress is not None:
            progress(done, len(files))
    return [
        Row(method.name, method.weights_sha256, data, digest, scale, tuple(row))
        for method, row in zip(measured, scores, strict=True)
    ]
