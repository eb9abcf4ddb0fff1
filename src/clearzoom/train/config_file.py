"""The TOML file of a training configuration: read, checked, and its mistakes named."""

from difflib import get_close_matches
from operator import attrgetter
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from clearzoom.checked import checked_path
from clearzoom.errors import ConfigError, MissingFileError
from clearzoom.io.documents import read_toml
from clearzoom.train.config import FEATURE_TERMS, TrainConfig


def load_config(path: Path) -> TrainConfig:
    """Read and check a TOML configuration.

    Args:
        path: the file; its folder is where relative data paths start.

    Raises:
        MissingFileError: no such file.
        ConfigError: no TOML, an unknown key or a wrong value; all of them are named.
    """
    path = checked_path(path, "the configuration's path")
    if not path.is_file():
        raise MissingFileError(f"no configuration file {path}; see the examples in configs/")
    try:
        config = TrainConfig.model_validate(read_toml(path, ConfigError))
    except ValidationError as error:
        found = [dict(fault) for fault in error.errors()]
        # A list whose only item is wrong is called too short as well.
        found = [fault for fault in found if fault["type"] != "too_short"] or found
        faults = "; ".join(_fault_words(fault) for fault in found)
        raise ConfigError(f"{path}: {faults}") from error
    here = path.parent.resolve()
    data = config.data.model_copy(
        update={
            "train": tuple(
                each.model_copy(update={"folder": here / each.folder}) for each in config.data.train
            ),
            "validation": tuple(here / folder for folder in config.data.validation),
        }
    )
    losses = tuple(
        term.model_copy(update={"file": here / term.file})
        if isinstance(term, FEATURE_TERMS) and term.file is not None
        else term
        for term in config.losses
    )
    config = config.model_copy(update={"data": data, "losses": losses})
    config = with_teacher_in(config, here)
    _check_multiple(path, config, "optimiser.max_steps", "run.validate_every_steps")
    _check_multiple(path, config, "run.validate_every_steps", "run.steps_per_call")
    _check_multiple(path, config, "run.log_every_steps", "run.steps_per_call")
    return config


def with_teacher_in(config: TrainConfig, folder: Path) -> TrainConfig:
    """Let the path of the teacher's file, if there is a teacher, start at a folder."""
    if config.teacher is None:
        return config
    teacher = config.teacher.model_copy(update={"file": folder / config.teacher.file})
    return config.model_copy(update={"teacher": teacher})


def _fault_words(fault: dict[str, Any]) -> str:
    *places, key = fault["loc"] or ("",)
    words = f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
    if fault["type"] == "tuple_type":
        return f"{words}; write [[{key}]] above each of them"
    if fault["type"] == "union_tag_not_found":
        return f'{words}; a loss needs its kind, like kind = "l1"'
    if fault["type"] != "extra_forbidden":
        return words
    near = get_close_matches(str(key), _keys_at(places), 1, cutoff=0)
    return f"{words}; the nearest right key is {near[0]}" if near else words


def _keys_at(places: list[str | int]) -> list[str]:
    """The keys that a section of the configuration may have."""
    section: Any = TrainConfig
    for place in places:
        if place in getattr(section, "model_fields", {}):
            section = section.model_fields[place].annotation
        kinds = _models_in(section)
        # In a list of losses the place is an index, then the kind.
        named = [kind for kind in kinds if place in _kinds_of(kind)]
        section = named[0] if named else kinds[0] if len(kinds) == 1 else section
    return list(getattr(section, "model_fields", {}))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _kinds_of(model: type[BaseModel]) -> tuple[Any, ...]:
    kind = model.model_fields.get("kind")
    return get_args(kind.annotation) if kind is not None else ()


def _check_multiple(path: Path, config: TrainConfig, whole: str, part: str) -> None:
    many, few = (attrgetter(name)(config) for name in (whole, part))
    if many is not None and many % few:
        raise ConfigError(f"{path}: {whole} ({many}) must be a multiple of {part} ({few})")
