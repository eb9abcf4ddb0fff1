"""The command as a method to be measured: ``clearzoom enlarge`` as a person gives it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from clearzoom.core.targets import Wanted
from clearzoom.errors import SizeError
from clearzoom.io.reading import decode_rgb8
from clearzoom.metrics.methods import Given, Image, Method
from clearzoom.pipeline.appraise import unresolved
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.networks import network_for
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings


def plain_command(model: str, scale: int) -> Method:
    """Enlarge as a person does who chooses nothing but the model and the size.

    Args:
        model: the name of a released model or of one's own, or an ONNX file.
        scale: of the enlargement.

    Raises:
        UnknownModelError: no such name, or none for this scale.
        WeightsError: damaged.

    Example:
        >>> import numpy as np
        >>> method = plain_command("fast", 4)
        >>> method.name, method.enlarge(Given(np.full((5, 7, 3), 99, np.uint8))).shape
        ('fast', (20, 28, 3))
    """
    return as_command(Settings(Wanted(scale), model))


def as_command(settings: Settings) -> Method:
    """Enlarge as the command does by these settings.

    What the settings leave to the file, as its kind of compression, is found in the file: each
    picture is written to a folder and enlarged to a PNG.

    Args:
        settings: wanted by a whole scale for which the model has weights.

    Raises:
        SizeError: wanted by another size.
        UnknownModelError: no such name, or none for this scale.
        WeightsError: damaged.
    """
    scale = settings.wanted.scale
    if scale is None or int(scale) != scale:
        raise SizeError("pictures are measured at a whole scale; give one")
    network = network_for(unresolved(settings), int(scale))

    def enlarge(given: Given) -> Image:
        content, suffix = given.as_file()
        with TemporaryDirectory() as folder:
            source, target = Path(folder, f"lr{suffix}"), Path(folder, "sr.png")
            source.write_bytes(content)
            run_job(plan_job(source, target, settings))
            return decode_rgb8(target.read_bytes())

    return Method(network.name, network.sha256, enlarge)
