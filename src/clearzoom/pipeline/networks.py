"""Load the networks that settings ask for; weights are loaded once in a process."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from clearzoom.core.grid import aligned_halo_px
from clearzoom.core.plan import Plan
from clearzoom.engines.network import Network, load_network
from clearzoom.engines.notes import grid_of, read_notes
from clearzoom.engines.wrappers import refined
from clearzoom.errors import ClearzoomError
from clearzoom.pipeline.appraise import unresolved
from clearzoom.pipeline.settings import Settings
from clearzoom.weights import find, scales_of, work_of
from clearzoom.weights.card import AddedCard, read_any_card
from clearzoom.weights.user_models import own_folder


def scales_for(model: str) -> list[int]:
    """List the scales for which a model has weights.

    Raises:
        ModelError: there is no such model, or its file is damaged.
    """
    if model.endswith(".onnx") and Path(model).is_file():
        return [grid_of(read_notes(Path(model)), Path(model)).scale]
    return scales_of(model)


def window_notes(model: str, plan: Plan) -> list[str]:
    """Say where a network of others sees a picture in windows that are blended, not exact.

    Args:
        model: its name, or the path of an ONNX file, whose tiles are always exact.
        plan: of the picture.
    """
    notes = []
    width, height = plan.source_px
    for scale in plan.stages if not model.endswith(".onnx") else ():
        card = read_any_card(find(model, scale).with_suffix(".json"))
        if isinstance(card, AddedCard) and card.blend_px and width * height > card.whole_px:
            notes.append(
                f"{model} x{scale} has no exact tiles: {width}x{height} px go through it in "
                f"blended windows, with seams of up to {card.measured.seam_levels:g} levels of 255"
            )
        width, height = width * scale, height * scale
    return notes


def work_for(model: str) -> dict[int, float]:
    """Return the work of a model's networks by scale, for ``chain_for``.

    Raises:
        ModelError: there is no such model, or its file is damaged.
    """
    if model.endswith(".onnx") and Path(model).is_file():
        return dict.fromkeys(scales_for(model), 1.0)  # one scale: there is nothing to compare
    return work_of(model)


_KEPT = 8
"""Networks that stay loaded; each of the released ones takes about 100 MB once it has run."""

_LOADING = threading.Lock()


@lru_cache(maxsize=_KEPT)
def _cached(file_state: tuple[int, int] | None, *arguments: Any) -> Network:
    return load_network(*arguments)


def _file_state(model: str, scale: int) -> tuple[int, int] | None:
    """Return what changes where the weights of a name or path have been replaced by others."""
    own = Path(model) if model.endswith(".onnx") else own_folder() / f"{model}-x{scale}.json"
    try:
        found = own.stat()
    except (OSError, ValueError):  # released weights, which stay, or none at all
        return None
    return found.st_mtime_ns, found.st_size


def chain_of(settings: Settings, stages: Sequence[int]) -> list[Network]:
    """Load a chain of networks that run one after the other.

    The first network's result is clean, so later ones with denoise levels run at 0, which keeps it.

    Args:
        settings: nothing in them is ``auto``.
        stages: the scales of the networks.

    Raises:
        ModelError: the weights cannot be loaded, as ``load_network`` states.
    """
    networks = [network_for(settings, scale) for scale in stages[:1]]
    for scale in stages[1:]:
        plain = network_for(replace(settings, denoise=None), scale)
        if settings.denoise is None or plain.denoise is None:
            networks.append(plain)
        else:
            networks.append(network_for(replace(settings, denoise=0.0), scale))
    return networks


def check_networks(settings: Settings) -> None:
    """Refuse settings with which no picture can be enlarged, before any picture is opened.

    Args:
        settings: the settings of all pictures.

    Raises:
        ModelError: there is no such model, or it cannot run with these settings at any scale.
        MissingExtraError: its engine is not installed.
    """
    if settings.pixel_art:
        return
    plain = unresolved(settings)
    first: ClearzoomError | None = None
    for scale in reversed(scales_for(settings.model)):
        try:
            network_for(plain, scale)
        except ClearzoomError as error:
            first = first or error
        else:
            return
    if first is not None:
        raise first


def network_for(settings: Settings, scale: int) -> Network:
    """Load the network that settings ask for; its weights are loaded once in a process.

    Args:
        settings: name the model and its wrappers; nothing in them is ``auto``.
        scale: the scale of this network.

    Raises:
        ModelError: the weights cannot be loaded, as ``load_network`` states.
    """
    assert settings.consistency != "auto"
    assert settings.denoise != "auto"
    assert settings.wrap != "auto"
    with _LOADING:  # else threads that need the same network at once would each load it
        loaded = _cached(
            _file_state(settings.model, scale),
            settings.model,
            scale,
            settings.engine,
            settings.precision,
            settings.strength,
            settings.denoise,
            settings.device,
        )
    network = refined(loaded, ensemble=settings.ensemble, consistency=settings.consistency)
    network = replace(network, wrap=settings.wrap)
    if settings.halo_px is None:
        return network
    halo_px = aligned_halo_px(settings.halo_px, network.period_px, network.border_px)
    return replace(network, halo_px=halo_px)
