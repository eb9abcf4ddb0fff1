"""Find out what is here. A part that is broken is a finding, too, and never ends the search."""

import os
import platform
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from clearzoom.errors import MissingExtraError
from clearzoom.version import __version__

_PACKAGES = ("numpy", "pyvips", "pyvips-binary", "pillow", "torch")
_ONNXRUNTIMES = tuple(
    f"onnxruntime{kind}" for kind in ("", "-gpu", "-directml", "-migraphx", "-rocm", "-openvino")
)
"""Distributions of one and the same module: they overwrite each other's files."""

_EXTRA = re.compile(r"""extra\s*==\s*["']([\w-]+)["']""")
_NAME = re.compile(r"[\w.-]+")
_OWN = re.compile(r"clearzoom\s*\[([^\]]*)\]")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes:
        name: its name.
        value: what was found; None where it is not here.
        fault: why that could not be found out, where the part is broken.
        remedy: what to install or to do, where that helps.
    """

    name: str
    value: Any = None
    fault: str | None = None
    remedy: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the finding without what it does not have."""
        return {key: value for key, value in vars(self).items() if value is not None}


def found(name: str, look: Callable[[], Any]) -> Finding:
    """Look for something; whatever its part raises becomes a fault.

    Args:
        name: of the finding.
        look: returns the value.

    Example:
        >>> found("answer", lambda: 6 * 7).value, found("broken", lambda: 1 / 0).fault
        (42, 'ZeroDivisionError: division by zero')
    """
    try:
        return Finding(name, look())
    except Exception as error:
        first = (str(error).strip() or "no reason is given").splitlines()[0]
        return Finding(name, fault=f"{type(error).__name__}: {first}")


def versions() -> list[Finding]:
    """Find the versions of clearzoom, of Python, and of what runs networks and reads pictures."""
    findings = [
        Finding("clearzoom", __version__),
        Finding("python", platform.python_version()),
        Finding("system", platform.platform()),
    ]
    there = [name for name in _ONNXRUNTIMES if _version_of(name) is not None]
    for name in there or _ONNXRUNTIMES[:1]:
        findings.append(found(name, lambda: _imported("onnxruntime")))
    if len(there) > 1:
        findings.append(
            Finding(
                "onnxruntime",
                fault=f"{' and '.join(there)} overwrite each other's files",
                remedy=f"pip uninstall {' '.join(there)}; then install one of them again",
            )
        )
    findings.append(found("openvino", lambda: _imported("openvino")))
    findings += [Finding(name, _version_of(name)) for name in _PACKAGES]
    return [*findings, found("libvips", _libvips)]


def machine() -> list[Finding]:
    """Find the processor, the memory, and the threads of networks."""
    return [
        found("processor", _processor),
        found("features", _features),
        found("memory_bytes", _memory_bytes),
        found("threads", _threads),
    ]


def devices() -> list[Finding]:
    """Find the devices: the value names what runs networks there and how, None is not here."""
    from clearzoom.engines.devices import PLACES, full_name, name_of

    findings = []
    for place in PLACES:
        if place.engine == "torch":  # importing it would take seconds; ``versions`` has it
            continue

        def look(place: Any = place) -> dict[str, Any] | None:
            name = name_of(place)
            if name is None:
                return None
            words = {"engine": place.engine, "name": name, "precisions": list(place.precisions)}
            full = full_name(place)
            return words | ({"full_name": full} if full else {})

        finding = found(place.choice, look)
        if finding.value is None and finding.fault is None:
            finding = Finding(place.choice, remedy=place.needs or _install("openvino"))
        findings.append(finding)
    return findings


def extras() -> list[Finding]:
    """Find the optional parts: the value is whether all packages of one are installed."""
    try:
        lines = requires("clearzoom") or []
    except PackageNotFoundError:
        return [Finding("extras", fault="clearzoom runs from sources that were not installed")]
    needed: dict[str, list[str]] = {}
    for line in lines:
        extra = _EXTRA.search(line)
        if extra is not None:
            needed.setdefault(extra[1], []).append(line)
    return [_extra(extra, needed) for extra in sorted(needed)]


def _extra(name: str, needed: dict[str, list[str]]) -> Finding:
    missing = [each for each in _packages_of(name, needed) if _version_of(each) is None]
    return Finding(name, value=not missing, remedy=_install(name) if missing else None)


def _packages_of(extra: str, needed: dict[str, list[str]]) -> Iterator[str]:
    """List the packages of an extra, and of the extras that it names, as ``explain`` does."""
    for line in needed.get(extra, []):
        inner = _OWN.match(line)
        if inner is None:
            yield _NAME.findall(line)[0]
        else:
            for each in inner[1].split(","):
                yield from _packages_of(each.strip(), needed)


def folders() -> list[Finding]:
    """Find where files lie, and how many bytes each folder holds."""
    return [found(name, partial(_folder, look)) for name, look in _folders()]


def _folders() -> Iterator[tuple[str, Callable[[], Path]]]:
    from clearzoom.io.user_folders import cache_folder, config_file

    yield "cache", cache_folder
    yield "measured devices", lambda: cache_folder() / "devices"
    yield "default options", config_file
    yield "own models", _own_models
    yield "released models", _released_models


def _folder(look: Callable[[], Path]) -> dict[str, Any]:
    path = look()
    files = [each for each in (path, *path.rglob("*")) if each.is_file()]
    return {"path": str(path), "bytes": sum(each.stat().st_size for each in files)}


def _own_models() -> Path:
    from clearzoom.weights.user_models import own_folder

    return own_folder()


def _released_models() -> Path:
    from clearzoom.weights import FOLDER

    return FOLDER


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _imported(engine: str) -> str | None:
    """Import an engine that is installed, since that shows whether it is broken."""
    from clearzoom.engines.devices import version_of

    return None if find_spec(engine) is None else version_of(engine)


def _libvips() -> str:
    import pyvips

    return ".".join(str(pyvips.version(part)) for part in range(3))


def _processor() -> str:
    from clearzoom.engines.machine import cpu_words

    return cpu_words()


def _features() -> list[str]:
    from clearzoom.engines.machine import cpu_features

    return cpu_features()


def _memory_bytes() -> int:
    from clearzoom.core.process_memory import machine_bytes

    return machine_bytes()


def _threads() -> str:
    stated = os.environ.get("OMP_NUM_THREADS", "")
    return f"{stated} (OMP_NUM_THREADS)" if stated.isdecimal() else "all cores"


def _install(extra: str) -> str:
    return str(MissingExtraError(extra, extra)).partition(": ")[2]
