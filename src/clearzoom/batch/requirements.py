"""What all pictures of a batch need, refused once and not for each of them."""

from collections.abc import Collection
from importlib.util import find_spec

from clearzoom.errors import DeviceError, MissingExtraError
from clearzoom.io.names import HEIC_SUFFIXES, suffix_of
from clearzoom.pipeline.networks import check_networks
from clearzoom.pipeline.settings import Settings


def check_requirements(settings: Settings, pictures: Collection[str], *, elsewhere: bool) -> None:
    """Refuse once what no picture could be enlarged with or read without.

    Args:
        settings: of every picture.
        pictures: their names.
        elsewhere: whether other machines enlarge them, which may have a device that is not here.

    Raises:
        ModelError: the network cannot be loaded, as ``load_network`` states.
        MissingExtraError: the engine is not installed, or all is HEIC and its extra is not.
    """
    try:
        check_networks(settings)
    except DeviceError:
        if not elsewhere:
            raise
    heic = all(suffix_of(name) in HEIC_SUFFIXES for name in pictures)
    if pictures and heic and find_spec("pillow_heif") is None:
        raise MissingExtraError("HEIC, as all pictures here are,", "heic")
