"""Pack training for a machine without network: a folder with all it needs, and ``run``."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from clearzoom.errors import ConfigError, OutputError
from clearzoom.losses.features import ARCHITECTURES, Convolution
from clearzoom.losses.pretrained import HEAD, load_heads, load_weights
from clearzoom.train.checkpoint import code_words
from clearzoom.train.config import FEATURE_TERMS, LpipsTerm, PerceptualTerm, TrainConfig
from clearzoom.train.config_file import load_config
from clearzoom.train.pack_shards import MIB, Shards, bytes_in
from clearzoom.train.packing import (
    CONFIGS,
    DATA,
    PART,
    PLAN,
    SOURCES,
    WEIGHTS,
    Plan,
    Planned,
)
from clearzoom.train.teacher import load_teacher, with_teacher_sha256

_RUN = """#!/usr/bin/env bash
# run BUDGET [OUTPUT]: train what is packed here within a time like 90s, 25m or 2h.
# PYTHON names the interpreter, WORK a folder for what is installed and made.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
began=$(date +%s.%N)
budget=${1:?how long? run BUDGET, like 25m}
output=${2:-$here/output}
work=${WORK:-$here/work}
python=${PYTHON:-python3}
mkdir -p "$output" "$work"
if compgen -G "$here/wheels/*.whl" >/dev/null && [ ! -e "$work/installed" ]; then
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir \\
        --disable-pip-version-check --target "$work/site" "$here"/wheels/*.whl
    touch "$work/installed"
fi
export PYTHONPATH="$work/site:$here/sources${PYTHONPATH:+:$PYTHONPATH}"
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive} PYTHONUNBUFFERED=1
exec "$python" -m clearzoom.train.packed "$here" "$work" "$output" "$budget" "$began"
"""


@dataclass(frozen=True)
class PackRequest:
    """What to pack: configurations in the order of their runs.

    ``shares`` of the time and ``inits``, starting weights, are mapped from configuration names.
    """

    configs: Sequence[Path]
    shares: Mapping[str, float]
    inits: Mapping[str, str]
    limit_mib: float = 60.0
    parts: int = 1
    batch: int | None = None


def pack(request: PackRequest, folder: Path, wheels: Sequence[Path] = ()) -> list[str]:
    """Write the pack.

    Args:
        request: what to pack.
        folder: new or empty; each of several parts is a folder in it, within the limit.
        wheels: packages for the other machine.

    Returns:
        Lines that describe the pack.

    Raises:
        OutputError: the folder is not empty.
        ConfigError: a name is unknown, or the limit leaves no room for pictures.
    """
    if folder.exists() and any(folder.iterdir()):
        raise OutputError(f"{folder} holds something already; name another folder")
    parts = (
        [folder]
        if request.parts == 1
        else [folder / PART.format(i + 1) for i in range(request.parts)]
    )
    for part in parts:
        part.mkdir(parents=True, exist_ok=True)
    first = parts[0]
    configs = {path.stem: load_config(path) for path in request.configs}
    _check_names(request, configs)
    _copy_sources(first / SOURCES)
    for wheel in wheels:
        (first / "wheels").mkdir(exist_ok=True)
        shutil.copy(wheel, first / "wheels")
    program = first / "run"
    program.write_text(_RUN)
    program.chmod(0o755)
    shards = Shards(first / DATA, configs)
    runs = []
    (first / CONFIGS).mkdir()
    for name, config in configs.items():
        packed = shards.moved(_packed(config, request.batch))
        packed = _with_feature_weights(packed, first / WEIGHTS)
        packed = _with_teacher(packed, first / WEIGHTS)
        (first / CONFIGS / f"{name}.json").write_text(packed.model_dump_json(indent=2))
        runs.append(
            Planned(
                name=name,
                share=request.shares.get(name, 1.0),
                init=_init(request.inits.get(name), list(configs), first / WEIGHTS),
                train=tuple(str(each.folder) for each in config.data.train),
                validation=tuple(map(str, config.data.validation)),
            )
        )
    plan = Plan(parts=request.parts, runs=tuple(runs))
    (first / PLAN).write_text(plan.model_dump_json(indent=2))
    shards.write_validation()
    taken, there = shards.write_training(parts, request.limit_mib * MIB)
    sizes = ", ".join(f"{bytes_in(part) / MIB:.1f} MiB" for part in parts)
    return [f"{folder}: {sizes}", f"{taken} of {there} training pictures"]


def _check_names(request: PackRequest, configs: Mapping[str, TrainConfig]) -> None:
    if len(configs) < len(request.configs):
        raise ConfigError("two configurations have one name; rename one of the files")
    for name in (*request.shares, *request.inits):
        if name not in configs:
            raise ConfigError(f"no configuration {name} is packed; there are {', '.join(configs)}")
    for name, config in configs.items():
        if config.adversarial is not None and name not in request.inits:
            raise ConfigError(f"{name} is adversarial and needs weights: add `init` {name}=WEIGHTS")


def _packed(config: TrainConfig, batch: int | None) -> TrainConfig:
    """Take the constant schedule, which ends with the time, and the other machine's batch."""
    optimiser = config.optimiser.model_copy(update={"schedule": "constant", "max_steps": None})
    data = config.data.model_copy(update={} if batch is None else {"batch": batch})
    return config.model_copy(update={"optimiser": optimiser, "data": data})


def _init(source: str | None, names: list[str], folder: Path) -> str | None:
    if source is None or source in names:
        return source
    path = Path(source)
    if not path.is_file():
        raise ConfigError(f"`init` {source}: neither a file nor one of {', '.join(names)}")
    folder.mkdir(exist_ok=True)
    shutil.copy(path, folder / path.name)
    card = path.with_suffix(".json")
    if card.is_file():  # it states how long they were trained
        shutil.copy(card, folder / card.name)
    return path.name


def _with_feature_weights(config: TrainConfig, folder: Path) -> TrainConfig:
    """Pack the weights of the losses' feature networks."""
    terms = []
    for term in config.losses:
        if isinstance(term, FEATURE_TERMS):
            name, weights = _layers(term) if isinstance(term, PerceptualTerm) else _lpips(term)
            folder.mkdir(exist_ok=True)
            save_file(weights, folder / name)
            term = term.model_copy(update={"file": Path(WEIGHTS) / name})
        terms.append(term)
    return config.model_copy(update={"losses": tuple(terms)})


def _with_teacher(config: TrainConfig, folder: Path) -> TrainConfig:
    """Pack the weights of the teacher, by a name that no other file has."""
    config = with_teacher_sha256(config)
    if config.teacher is None:
        return config
    load_teacher(config.teacher, config.network.scale)  # raises what the other machine would
    packed = Path(WEIGHTS) / f"teacher-{config.teacher.sha256}.safetensors"
    folder.mkdir(exist_ok=True)
    shutil.copy(config.teacher.file, folder / packed.name)
    teacher = config.teacher.model_copy(update={"file": packed})
    return config.model_copy(update={"teacher": teacher})


def _layers(term: PerceptualTerm) -> tuple[str, dict[str, torch.Tensor]]:
    """Give a file's name and content: the layers that are run; those behind them are empty."""
    steps = [s for s in ARCHITECTURES[term.network] if isinstance(s, Convolution)]
    deepest = max(i for i, step in enumerate(steps) if step.name in term.layers)
    kept = {step.name for step in steps[: deepest + 1]}
    weights = {
        name: value if name.rpartition(".")[0] in kept else torch.zeros(0)
        for name, value in load_weights(term.network, term.file).items()
    }
    return f"{term.network}-{steps[deepest].name}.safetensors", weights


def _lpips(term: LpipsTerm) -> tuple[str, dict[str, torch.Tensor]]:
    """Return LPIPS' weights in fp16: VGG-16 in fp32 would leave no room for pictures."""
    weights = {name: value.half() for name, value in load_weights("vgg16", term.file).items()}
    heads = {f"{HEAD}{layer}": head for layer, head in load_heads("vgg16", term.file).items()}
    return "lpips-vgg16.safetensors", weights | heads


def _copy_sources(folder: Path) -> None:
    package = Path(__file__).parent.parent
    for path in package.rglob("*.py"):
        copy = folder / path.relative_to(package.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    # The package reads its version from these metadata, which also name the commit.
    version, _, commit = code_words().partition(", commit ")
    named = f"{version}+{commit.replace('-', '.')}" if commit and "+" not in version else version
    note = folder / f"clearzoom-{named}.dist-info" / "METADATA"
    note.parent.mkdir()
    note.write_text(f"Metadata-Version: 2.1\nName: clearzoom\nVersion: {named}\n")
