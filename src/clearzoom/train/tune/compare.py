"""Compare the weights before and after tuning on held-back pictures: scores and crops."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clearzoom.core.arrays import Levels
from clearzoom.io.folder import files_sha256, picture_files
from clearzoom.io.reading import decode_rgb8
from clearzoom.metrics.evaluate import Row, evaluate
from clearzoom.metrics.methods import LrPicture, Method, bicubic
from clearzoom.metrics.protocol import Score, crop_to_multiple, score
from clearzoom.train.data.degradation import Degradation
from clearzoom.train.data.degrade import degrade
from clearzoom.train.grid import save_grid
from clearzoom.weights.card import Scores

_VERSIONS = 3
"""LR versions of each held-back picture."""
_SHOWN, _SHOWN_LR_PX = 3, 48
_SEED = 20_000
"""The faults drawn from it are others than those of training."""
_MOST_LOST_DB = 0.1


@dataclass(frozen=True)
class Compared:
    """Scores on clean input, and on input with the faults of training, if there are any.

    Each has the rows of bicubic, of the weights before, and of those after.
    """

    clean: tuple[Row, Row, Row]
    faulty: tuple[Row, Row, Row] | None

    @property
    def gains_db(self) -> list[float]:
        """Gains of PSNR in dB, on clean and on faulty input."""
        return [rows[2].psnr_db - rows[1].psnr_db for rows in self._kinds]

    @property
    def is_better(self) -> bool:
        """Whether the mean PSNR rose, and neither fell by more than 0.1 dB."""
        gains = self.gains_db
        return bool(np.mean(gains) > 0 and min(gains) >= -_MOST_LOST_DB)

    @property
    def _kinds(self) -> list[tuple[Row, Row, Row]]:
        return [self.clean] if self.faulty is None else [self.clean, self.faulty]

    def words(self) -> list[str]:
        """Give the lines of a table of PSNR in dB and SSIM, rounded as on the card."""
        lines = [f"{'held back':<12}{'interpolated':>18}{'before':>18}{'after':>18}"]
        for name, rows in zip(("clean", "with faults"), self._kinds, strict=False):
            stated = [row.as_scores() for row in rows]
            cells = "".join(f"{f'{row.psnr_db:.2f} / {row.ssim:.4f}':>18}" for row in stated)
            lines.append(f"{name:<12}{cells}")
        return lines

    def gain_words(self) -> str:
        """Describe the gains in words."""
        names = ("clean", "with faults")
        return ", ".join(
            f"{name} {gain:+.2f} dB" for name, gain in zip(names, self.gains_db, strict=False)
        )

    def scores(self) -> list[Scores]:
        """Give the rows in the form of the card."""
        return [row.as_scores() for rows in self._kinds for row in rows]


def compare(
    folder: Path, scale: int, before: Method, after: Method, degradation: Degradation | None
) -> Compared:
    """Measure both weights on pictures that neither was trained on.

    Args:
        folder: held-back HR pictures.
        scale: the enlargement.
        before: the plain command with the weights before tuning.
        after: the plain command with the tuned weights.
        degradation: the faults of training; None: clean input only.

    Raises:
        ResultError: a network's output is no picture any more.
    """
    clean = evaluate(folder, scale, [before, after])
    faulty = None
    if degradation is not None:
        faulty = _on_faulty(folder, scale, [before, after], degradation)
    return Compared((clean[0], clean[1], clean[2]), faulty)


def save_crops(
    path: Path,
    folder: Path,
    scale: int,
    before: Method,
    after: Method,
    degradation: Degradation | None,
) -> None:
    """Write crops side by side: interpolated, before, after, and the truth.

    Args:
        path: the PNG to write.
        folder: held-back HR pictures.
        scale: the enlargement.
        before: the plain command with the weights before tuning.
        after: the plain command with the tuned weights.
        degradation: the faults of the LR crops; None: the protocol's LR.
    """
    columns: list[list[Levels]] = [[], [], [], []]
    for index, hr, lr in _pairs(folder, scale, degradation):
        if index[1] or index[0] >= _SHOWN:
            continue
        top, left = _roughest(lr)
        rows, across = (
            slice(at * scale, (at + min(_SHOWN_LR_PX, *lr.shape[:2])) * scale) for at in (top, left)
        )
        methods = bicubic(scale), before, after
        pictures = [*(each.enlarge(LrPicture(lr)) for each in methods), hr]
        for column, picture in zip(columns, pictures, strict=True):
            column.append(picture[rows, across])
    width = min(each.shape[1] for each in columns[0])
    save_grid(path, [np.concatenate([each[:, :width] for each in column]) for column in columns])


def _pairs(
    folder: Path, scale: int, degradation: Degradation | None
) -> Iterator[tuple[tuple[int, int], Levels, Levels]]:
    """Give the index of the picture and of the version, its HR and its LR."""
    faults = None
    if degradation is not None:
        faults = degradation.model_copy(update={"clean_share": 0.0})
    for i, file in enumerate(picture_files(folder)):
        hr = crop_to_multiple(decode_rgb8(file.read_bytes()), scale)
        for version in range(_VERSIONS):
            drawn = faults or Degradation(clean_share=1.0)
            yield (i, version), hr, degrade(hr, scale, drawn, (_SEED, i, version))


def _on_faulty(
    folder: Path, scale: int, methods: Sequence[Method], degradation: Degradation
) -> tuple[Row, Row, Row]:
    files = picture_files(folder)
    measured = [bicubic(scale), *methods]
    scores: list[list[tuple[str, Score]]] = [[] for _ in measured]
    for (i, _), hr, lr in _pairs(folder, scale, degradation):
        for method, row in zip(measured, scores, strict=True):
            row.append((files[i].name, score(method.enlarge(LrPicture(lr)), hr, scale)))
    digest, data = files_sha256(files), f"{folder.name}, LR with faults"
    interpolated, before, after = (
        Row(method.name, method.weights_sha256, data, digest, scale, tuple(row))
        for method, row in zip(measured, scores, strict=True)
    )
    return interpolated, before, after


def _roughest(lr: Levels) -> tuple[int, int]:
    """Find the top and left of the part with the most detail."""
    side = min(_SHOWN_LR_PX, *lr.shape[:2])
    places = [
        (top, left)
        for top in range(0, lr.shape[0] - side + 1, max(1, side // 2))
        for left in range(0, lr.shape[1] - side + 1, max(1, side // 2))
    ]
    return max(places, key=lambda at: lr[at[0] : at[0] + side, at[1] : at[1] + side].std())
