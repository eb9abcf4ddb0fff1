"""Resuming a run: find its checkpoint, and refuse a changed configuration."""

from pathlib import Path
from typing import Any

from clearzoom.errors import ConfigError, MissingFileError, OutputError
from clearzoom.train.checkpoint import LAST, load_checkpoint
from clearzoom.train.config import DataSection, RunSection, TrainConfig

_FREE = ("validation", "workers", "file")
"""Keys of [data] and [teacher] that a resumed run may change: they do not determine the weights."""
_SECTIONS = ("network", "data", "optimiser", "losses", "adversarial", "degradation", "teacher")
_KEPT_OF_RUN = (
    "seed",
    "precision",
    "memory_format",
    "deterministic",
    "steps_per_call",
    "validate_every_steps",
)


def source_of(folder: Path, *, resume: bool, resume_from: Path | None) -> Path | None:
    """Find the checkpoint to resume from.

    Args:
        folder: the folder of the run.
        resume: resume from its last checkpoint.
        resume_from: resume from this checkpoint.

    Returns:
        The checkpoint; None: the run starts now.

    Raises:
        MissingFileError: the checkpoint is missing.
        OutputError: the folder holds a run, which is not to be resumed.
    """
    source = resume_from if resume_from is not None else folder / LAST
    if (resume or resume_from is not None) and not source.is_file():
        raise MissingFileError(f"no checkpoint {source} to resume; leave `resume` out to start")
    if not resume and resume_from is None:
        if source.exists():
            raise OutputError(f"{folder} holds a run; add `resume`, or name another folder")
        return None
    return source


def same_run(checkpoint: Path, config: TrainConfig) -> dict[str, Any]:
    """Read a checkpoint, and refuse a configuration other than the run's own.

    Args:
        checkpoint: the checkpoint of the run.
        config: the configuration to resume with.

    Returns:
        The checkpoint's state.

    Raises:
        ConfigError: the configurations differ; the message names the key.
        TrainingError: the checkpoint is damaged.
    """
    state = load_checkpoint(checkpoint)
    started = state["config"]
    now = config.model_dump(mode="json")
    free = {*_FREE, *(["max_steps"] if config.optimiser.schedule == "constant" else [])}
    # Older checkpoints have fewer keys; the section fills in the defaults.
    started["data"] = DataSection(**started["data"]).model_dump(mode="json")
    for each in (started["data"], now["data"]):
        each["train"] = [
            {"weight": one["weight"], "taught": one["taught"]} for one in each["train"]
        ]
    for section in _SECTIONS:
        before, after = _by_key(started.get(section)), _by_key(now[section])
        for key in dict.fromkeys([*after, *before]):
            if before.get(key) != after.get(key) and key not in free:
                raise ConfigError(
                    f"this run was started with {section}.{key} = {before.get(key)}, the file says "
                    f"{after.get(key)}; put it back, or start a new run with `initial_weights`"
                )
    for key in _KEPT_OF_RUN:
        before = started["run"].get(key, RunSection.model_fields[key].default)
        if before != now["run"][key]:
            raise ConfigError(f"this run was started with run.{key} = {before}; put it back")
    return state


def _by_key(section: Any) -> dict[str, Any]:
    """Give the keys and values of a section; losses are keyed by their kind."""
    if isinstance(section, list):
        return {term["kind"]: term for term in section}
    return section or {}
