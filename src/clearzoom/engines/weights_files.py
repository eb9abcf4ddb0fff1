"""Find the ONNX files of a model: its weights, their PSNR weights, its estimator of levels."""

from collections.abc import Callable
from pathlib import Path

from clearzoom.core.arrays import Tensor
from clearzoom.engines import Precision
from clearzoom.engines.enclosed import check_enclosed
from clearzoom.engines.levels import estimator_file, load_estimator
from clearzoom.errors import MissingFileError, ModelError
from clearzoom.weights import find
from clearzoom.weights.card import AddedCard, read_any_card
from clearzoom.weights.user_models import check_file


def weights_file(name_or_file: str, scale: int, precision: Precision) -> tuple[Path, bool]:
    """Find the weights of a model.

    Args:
        name_or_file: the name of a model, or the path of an ONNX file.
        scale: how many times to enlarge.
        precision: int8 has a file of its own.

    Returns:
        The path of the ONNX file, and whether it was found by name.

    Raises:
        UnknownModelError: there is no model of this name, or none for this scale.
        MissingFileError: there is no such file.
        ModelError: int8 is asked for, and the model is one that others trained.
    """
    path = Path(name_or_file)
    named = path.suffix != ".onnx"
    if named:
        path = find(name_or_file, scale)
    if precision == "int8":
        if named and isinstance(read_any_card(path.with_suffix(".json")), AddedCard):
            raise ModelError(
                f"{name_or_file} has no `precision` int8: it was added, not trained here",
                setting="precision",
            )
        path = path.with_stem(f"{path.stem}-int8")
    if named and precision != "int8" and not path.is_file():
        check_file(path)  # says what to do
    if not path.is_file():
        why = ""
        if precision == "int8":
            why = "; leave `precision` int8 out, or write it with 'clearzoom export --int8'"
        raise MissingFileError(f"no weights file {path}{why}")
    return path, named


def psnr_file(path: Path, notes: dict[str, str]) -> Path:
    """Find the PSNR weights from which perceptual weights were trained.

    Args:
        path: the ONNX file of the perceptual weights.
        notes: the notes in it.

    Raises:
        ModelError: the weights were not trained from others, or those are missing.
    """
    start = path.with_name(f"{notes.get('psnr_model')}-x{notes.get('scale')}.onnx")
    if "psnr_model" not in notes or not start.is_file():
        raise ModelError(
            f"{path.stem} has no `strength`, which goes from PSNR weights to perceptual ones; "
            "name a model that has both, as photo-crisp x4",
            setting="strength",
        )
    return start


def load_level_estimator(name_or_file: str, scale: int) -> Callable[[Tensor], float] | None:
    """Load the estimator of the denoise level that suits a picture.

    Args:
        name_or_file: as for ``load_network``.
        scale: how many times to enlarge.

    Returns:
        A function from LR windows (1, 3, H, W) float32 in -0.5..0.5 to their level, about 0 for
        clean ones to about 1 for badly spoilt ones, not clipped; None where the model has none.

    Raises:
        UnknownModelError: there is no model of this name, or none for this scale.
        MissingFileError: there is no such file.
        WeightsError: the file is damaged.
    """
    path, named = weights_file(name_or_file, scale, "fp32")
    file = estimator_file(path)
    if not file.is_file():
        return None
    if named:
        check_file(file)
    else:
        check_enclosed(file.read_bytes(), file)
    return load_estimator(file)
