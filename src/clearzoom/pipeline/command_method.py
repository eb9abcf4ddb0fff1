"""``clearzoom enlarge`` as a method that the metrics measure."""

from pathlib import Path
from tempfile import TemporaryDirectory

from clearzoom.core.arrays import Levels
from clearzoom.core.targets import Wanted
from clearzoom.errors import SizeError
from clearzoom.io.reading import decode_rgb8
from clearzoom.metrics.methods import LrPicture, Method
from clearzoom.pipeline.appraise import unresolved
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.networks import network_for
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings


def plain_command(model: str, scale: int) -> Method:
    """Return the method of a user who chooses nothing but the model and the size.

    Args:
        model: the name of a released model or of the user's own, or an ONNX file.
        scale: how many times to enlarge.

    Raises:
        UnknownModelError: there is no model of this name, or none for this scale.
        WeightsError: the weights are damaged.

    Example:
        >>> import numpy as np
        >>> method = plain_command("fast", 4)
        >>> method.name, method.enlarge(LrPicture(np.full((5, 7, 3), 99, np.uint8))).shape
        ('fast', (20, 28, 3))
    """
    return as_command(Settings(Wanted(scale), model))


def as_command(settings: Settings) -> Method:
    """Return the method of the command with these settings.

    Each picture is written to a temporary folder and enlarged to a PNG, since ``auto`` settings
    depend on the file, for example on its compression.

    Args:
        settings: with a whole scale for which the model has weights.

    Raises:
        SizeError: the settings ask for another kind of size.
        UnknownModelError: there is no model of this name, or none for this scale.
        WeightsError: the weights are damaged.
    """
    scale = settings.wanted.scale
    if scale is None or int(scale) != scale:
        raise SizeError("pictures are measured at a whole scale; give one")
    network = network_for(unresolved(settings), int(scale))

    def enlarge(given: LrPicture) -> Levels:
        content, suffix = given.as_file()
        with TemporaryDirectory() as folder:
            source, target = Path(folder, f"lr{suffix}"), Path(folder, "sr.png")
            source.write_bytes(content)
            run_job(plan_job(source, target, settings))
            return decode_rgb8(target.read_bytes())

    return Method(network.name, network.sha256, enlarge)
