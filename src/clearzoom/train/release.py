"""Turn a finished run into released weights: safetensors, ONNX and a card with scores."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from safetensors.torch import save
from torch import nn

from clearzoom.checked import AnyPath, Name, checked_arguments
from clearzoom.engines.interpolate import mixed_model
from clearzoom.engines.levels import estimator_file
from clearzoom.errors import ConfigError, MissingFileError, ModelError
from clearzoom.io.atomic import whole_file
from clearzoom.io.folder import files_sha256
from clearzoom.io.terminal import PlainConsole
from clearzoom.metrics.protocol import PROTOCOL
from clearzoom.models.count import FORMULA, count
from clearzoom.models.export import export_estimator, export_onnx
from clearzoom.models.layers import LOCAL_NORMS
from clearzoom.models.registry import build
from clearzoom.models.weights import load_into
from clearzoom.train.calibration import UNCHANGED, Calibration, calibrate, held_back
from clearzoom.train.checkpoint import BEST, LAST, best_validation_db, load_checkpoint
from clearzoom.train.config import Folder, Positive, TrainConfig
from clearzoom.train.device import measure_speed
from clearzoom.train.int8 import offer_int8
from clearzoom.train.scoring import clean_scores, fault_scores, sets_in
from clearzoom.weights.card import Card, Counts, FileHash, Training, write_card

_COUNTED_PX = 64

_OF_FAULTY_INPUT = 2.0
"""Consistency, in levels, of weights trained on faults: they remove traces of JPEG from clean input
too, and back-projection must not restore them (docs/decisions/0006-consistency.md)."""


@checked_arguments()
def release(
    run: AnyPath,
    folder: AnyPath,
    tile_px: Positive,
    test_sets: AnyPath | None,
    *,
    name: Name | None = None,
    int8: bool = False,
    psnr_model: Name | None = None,
    initial_weights: AnyPath | None = None,
    strength: Annotated[float, Field(gt=0, le=1)] = 1.0,
) -> Card:
    """Export the best weights of a run.

    Args:
        run: the folder of the run, with its last checkpoint and its best weights.
        folder: where NAME-xSCALE.safetensors, .onnx and .json are written.
        tile_px: core side of the canonical grid's tiles, LR px.
        test_sets: holds a folder of HR pictures for each test set; None: the card has no scores.
        name: the name of the model; None: that of the network.
        int8: also write NAME-xSCALE-int8.onnx, if it is fast enough to be worth its loss.
        psnr_model: the model that perceptual weights started from; its .onnx lies in folder. With
            it ``enlarge --strength`` goes from the one to the other.
        initial_weights: the .safetensors that the run started from, where strength is below 1 and
            there is no psnr_model.
        strength: of the run's weights, where the full ones are too much of it: the rest of what is
            written is initial_weights, or psnr_model's, whose .safetensors lies in folder, and 1
            is then this mixture.

    Raises:
        InputError: an argument has a wrong type or value.
        ConfigError: a strength below 1 with neither or both of psnr_model and initial_weights;
            the latter without it, or not those that the run started from.
        MissingFileError: the run has no checkpoint or no best weights yet, its data or the test
            sets are not there, or initial_weights cannot be read.
        ModelError: a norm looks at the whole picture, so that tiles would change the result.
        WeightsError: psnr_model or initial_weights are of another network.
        OutputError: a file cannot be written.
    """
    if not (run / LAST).is_file() or not (run / BEST).is_file():
        raise MissingFileError(f"{run} holds no finished run: {LAST} and {BEST} are needed")
    sets = None if test_sets is None else sets_in(test_sets)  # all else takes minutes
    state = load_checkpoint(run / LAST)
    config = TrainConfig.model_validate(state["config"])
    chosen = config.network
    for each in config.data.train:
        if not each.folder.is_dir():
            raise MissingFileError(f"the training data {each.folder} are gone; cards state them")
    net = build(chosen.name, chosen.scale, chosen.settings)
    if net.norm_kind not in LOCAL_NORMS:
        raise ModelError(f"norm {net.norm_kind} looks at the whole picture: tiles would change it")
    load_into(net, run / BEST)
    mixed_with = None
    if initial_weights is not None:
        mixed_with = _start_of(state, initial_weights, strength, psnr_model)
        _mix(net, initial_weights, strength)
    elif strength < 1:
        if psnr_model is None:
            raise ConfigError(
                "a strength below 1 is a mixture: add `psnr_model` NAME or `initial_weights` FILE, "
                "or leave `strength` out"
            )
        _mix(net, folder / f"{psnr_model}-x{chosen.scale}.safetensors", strength)
    frozen = "estimator" in config.optimiser.frozen  # it is the one that the run started from
    estimator = net.level_estimator
    if estimator is not None and config.degradation is not None and not frozen:
        _print_calibration(calibrate(net, estimator, held_back(config)))
    mixture = {"strength": strength, "mixed_with": mixed_with}
    training = _training(state, config, run / BEST).model_copy(update=mixture)
    halo = net.reach_px
    name = name or chosen.name
    stem = f"{name}-x{chosen.scale}"
    folder.mkdir(parents=True, exist_ok=True)
    notes = {
        "name": name,
        "scale": str(chosen.scale),
        "halo_px": str(halo),
        "tile_px": str(tile_px),
        "value_range": "-0.5..0.5",
        "channels": "RGB",
        "licence": "Apache-2.0",
    }
    if psnr_model is not None:
        start = folder / f"{psnr_model}-x{chosen.scale}.onnx"
        if not start.is_file():
            raise MissingFileError(f"no {start}: the PSNR weights lie beside the perceptual ones")
        notes["psnr_model"] = psnr_model
    settings = {"network": chosen.name, "settings": net.config.model_dump(mode="json")}
    # One key: safetensors writes several in any order, and the file's hash would change.
    described = {"clearzoom": json.dumps(notes | settings, sort_keys=True)}
    with whole_file(folder / f"{stem}.safetensors") as temporary:
        temporary.write_bytes(save(net.state_dict(), described))
    export_onnx(net, folder / f"{stem}.onnx", notes)
    onnx = folder / f"{stem}.onnx"
    if psnr_model is not None:
        mixed_model(start.read_bytes(), onnx.read_bytes(), 0.5)  # raises where they do not fit
    speed = measure_speed(onnx, chosen.scale)
    offered = offer_int8(onnx, config, speed) if int8 else None
    files = [folder / f"{stem}.safetensors", onnx]
    if estimator is not None:
        files.append(estimator_file(onnx))
        export_estimator(estimator, files[-1], {"name": f"{name}-level"})
    if offered is not None:
        files.append(offered.path)
        speed += offered.speed
    counted = count(net, _COUNTED_PX, _COUNTED_PX)
    card = Card(
        name=name,
        scale=chosen.scale,
        network=chosen.name,
        settings=net.config.model_dump(mode="json"),
        receptive_field_px=2 * halo + 1,
        halo_px=halo,
        tile_px=tile_px,
        counts=Counts(
            parameters=counted.parameters, macc=counted.macc, flops=counted.flops, formula=FORMULA
        ),
        training=training,
        speed=speed,
        int8=offered.card if offered is not None else None,
        consistency="full" if config.degradation is None else _OF_FAULTY_INPUT,
        files=[_hashed(path) for path in files],
        scores=[],
        scores_command=f"clearzoom evaluate --model {stem[:-3]} --scale {chosen.scale} --data DIR",
        protocol=PROTOCOL,
    )
    write_card(folder / f"{stem}.json", card)  # the plain command, which is measured, reads it
    if sets is not None:
        names = ", ".join(each.name for each in sets)
        PlainConsole(stderr=True).print(f"measuring on {names}, which takes a while")
        measured = str(onnx), chosen.scale, sets
        rows = {"scores": clean_scores(*measured), "fault_scores": fault_scores(*measured)}
        card = card.model_copy(update=rows)
        write_card(folder / f"{stem}.json", card)
    return card


def _start_of(state: dict[str, Any], weights: Path, strength: float, psnr_model: str | None) -> str:
    """Describe the weights that a run started from, or refuse others."""
    if strength == 1 or psnr_model is not None:
        raise ConfigError(
            "`initial_weights` is for a `strength` below 1, and in place of `psnr_model`; state "
            "such a strength, and leave `psnr_model` out"
        )
    if state["origin"] is None:
        raise ConfigError("the run started from no weights; leave `initial_weights` out")
    started_from = str(state["origin"]["weights"])
    try:
        sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        raise MissingFileError(f"cannot read `initial_weights` {weights}: {error}") from error
    if not started_from.endswith(sha256):
        raise ConfigError(
            f"the run did not start from {weights}, but from {started_from}; name these weights"
        )
    return started_from


def _mix(net: nn.Module, other: Path, strength: float) -> None:
    ours = {name: value.clone() for name, value in net.state_dict().items()}
    load_into(net, other)
    net.load_state_dict(
        {name: torch.lerp(net.state_dict()[name], own, strength) for name, own in ours.items()}
    )


def _print_calibration(found: Calibration) -> None:
    line = "the estimator of levels stays as it was trained"
    if found != UNCHANGED:
        line = f"estimated levels: {found.slope:.2f} times what they were, {found.offset:+.2f}"
        line += f"; {found.gain_db:+.2f} dB on held-back pictures"
    PlainConsole(stderr=True).print(line)


def _training(state: dict[str, Any], config: TrainConfig, best: Path) -> Training:
    folders = config.data.train
    files = [_files(each.folder) for each in folders]
    steps = int(state["state_dict"]["steps_done"])
    lr_pixels = steps * config.data.batch * config.data.patch_px**2
    hours = state["seconds"] / 3600
    origin = state["origin"] or {"weights": None, "hours": 0.0, "lr_pixels": 0}
    plain = config.model_dump(mode="json")
    # Paths of one machine mean nothing on another.
    for each in plain["data"]["train"]:
        each["folder"] = Path(each["folder"]).name
    plain["data"]["validation"] = [Path(each).name for each in plain["data"]["validation"]]
    if plain["teacher"] is not None:
        plain["teacher"]["file"] = Path(plain["teacher"]["file"]).name
    return Training(
        data="; ".join(map(_data_words, folders, files)),
        data_sha256=files_sha256([path for several in files for path in several]),
        data_licence=_licences(folders),
        config=plain,
        steps=steps,
        lr_pixels=lr_pixels,
        lr_pixels_in_all=lr_pixels + origin["lr_pixels"],
        hours=round(hours, 2),
        hours_in_all=round(hours + origin["hours"], 2),
        device=state["device"],
        code=state["code"],
        started_from=origin["weights"],
        validation_psnr_db=round(best_validation_db(best), 4),
    )


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.tar")) or sorted(p for p in folder.iterdir() if p.is_file())


def _data_words(each: Folder, files: list[Path]) -> str:
    return f"{each.folder.name}: {', '.join(path.name for path in files[:8])}"


def _licences(folders: Sequence[Folder]) -> str:
    if len(folders) == 1:
        return _licence(folders[0])
    return "; ".join(f"{each.folder.name}: {_licence(each)}" for each in folders)


def _licence(each: Folder) -> str:
    table = each.folder / "sources.tsv"
    if each.licence is not None or not table.is_file():
        return each.licence or "not stated"
    lines = table.read_text("utf-8").splitlines()[1:]
    return "; ".join(sorted({line.split("\t")[-1] for line in lines}))


def _hashed(path: Path) -> FileHash:
    content = path.read_bytes()
    return FileHash(name=path.name, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
