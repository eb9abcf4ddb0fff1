"""``clearzoom doctor``."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clearzoom.cli.console import say, say_json

if TYPE_CHECKING:
    from clearzoom.doctor.findings import Finding

_WIDTH = 22
_NAMES = {"memory_bytes": "memory"}


def doctor(
    speed: Annotated[
        bool, typer.Option("--speed/--no-speed", help="Measure how fast each device is.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print what is installed, which devices run networks and how fast, and where files lie.

    A part that is broken has a line that says so. The speed is measured with the default model, in
    some seconds.
    """
    from clearzoom.doctor import findings
    from clearzoom.doctor.speed import speeds

    sections = {
        "versions": findings.versions(),
        "machine": findings.machine(),
        "devices": findings.devices(),
        "folders": findings.folders(),
        "extras": findings.extras(),
    }
    if as_json:
        measured = list(speeds()) if speed else []
        listed = {**sections, "speed": measured}
        say_json({name: [each.as_json() for each in part] for name, part in listed.items()})
        return
    for name, part in sections.items():
        _say_section(name, part)
    if speed:
        _say_section("speed", speeds())


def _say_section(name: str, part: "Iterable[Finding]") -> None:
    say(_TITLES[name])
    for each in part:
        words = f"broken: {each.fault}" if each.fault else _WORDS[name](each)
        if each.remedy and each.fault:
            words += f"; {each.remedy}"
        say(f"  {_NAMES.get(each.name, each.name):{_WIDTH}} {words}")


def _version(each: "Finding") -> str:
    return each.value or "not installed"


def _of_machine(each: "Finding") -> str:
    if each.name == "memory_bytes":
        return f"{each.value / 1e9:.1f} GB"
    return " ".join(each.value) or "unknown" if isinstance(each.value, list) else str(each.value)


def _device(each: "Finding") -> str:
    if each.value is None:
        return f"not here; it needs {each.remedy}"
    name = each.value.get("full_name") or each.value["name"]
    return f"{each.value['engine']}, {name}: {', '.join(each.value['precisions'])}"


def _folder(each: "Finding") -> str:
    return f"{each.value['path']}  {each.value['bytes'] / 1e6:.1f} MB"


def _extra(each: "Finding") -> str:
    return "installed" if each.value else f"not installed: {each.remedy}"


def _speed(each: "Finding") -> str:
    words = f"{each.value['megapixels_per_s']:g} MP/s"
    off = each.value.get("difference_levels")
    return words if off is None else f"{words}, at most {off:g} levels from onnxruntime's"


_TITLES = {
    "versions": "versions",
    "machine": "this machine",
    "devices": "devices, for --device",
    "folders": "folders",
    "extras": "optional parts",
    "speed": "speed of photo x4, in MP of the result",
}
_WORDS: dict[str, Any] = {
    "versions": _version,
    "machine": _of_machine,
    "devices": _device,
    "folders": _folder,
    "extras": _extra,
    "speed": _speed,
}
