"""List what a release holds: python scripts/make_sbom.py WHEEL SBOM.

The wheel is installed with ``[serve]``, of which the data package lies beside it, into an empty
environment, CycloneDX's own tool lists that, and what both wheels have of others is added.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parent.parent

VENDORED = [
    {
        "type": "library",
        "name": "openseadragon",
        "version": "6.1.1",
        "purl": "pkg:npm/openseadragon@6.1.1",
        "licence": "BSD-3-Clause",
        "files": ["src/clearzoom/server/page/vendor/openseadragon.min.js"],
    },
    {
        "type": "library",
        "name": "onnxruntime-web",
        "version": "1.30.0",
        "purl": "pkg:npm/onnxruntime-web@1.30.0",
        "licence": "MIT",
        "files": [
            "src/clearzoom/server/page/device/vendor/ort.wasm.min.mjs",
            "src/clearzoom/server/page/device/vendor/ort-wasm-simd-threaded.mjs",
            "src/clearzoom/server/page/device/vendor/ort-wasm-simd-threaded.wasm",
            "src/clearzoom/server/page/device/vendor/ort-wasm-simd-threaded.wasm.br",
        ],
    },
    {
        "type": "machine-learning-model",
        "name": "lpips",
        "version": "0.1",
        "licence": "BSD-2-Clause",
        "files": [
            "src/clearzoom/losses/lpips-alexnet.safetensors",
            "src/clearzoom/losses/lpips-vgg16.safetensors",
        ],
    },
    {
        "type": "data",
        "name": "chelsea",
        "licence": "CC0-1.0",
        "files": ["examples/chelsea.png"],
    },
]
"""What THIRD_PARTY_NOTICES.md names; files as they lie in the repository."""


def environment(wheel: Path, folder: Path) -> Path:
    """Install the wheel with its server into a new environment; gives its Python.

    Args:
        wheel: clearzoom's; that of clearzoom-web lies in the same folder.
        folder: a new folder for the environment.
    """
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    program = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    program += ["--no-compile", "--constraint", str(ROOT / "constraints.txt")]
    program += ["--find-links", str(wheel.parent), f"{wheel.resolve()}[serve]"]
    subprocess.run(program, check=True)
    return python


def listed(python: Path) -> dict[str, Any]:
    """Give the SBOM of an environment in which clearzoom is installed."""
    program = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"]
    program += ["--no-validate"]  # the whole is validated at the end
    program += ["--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application"]
    done = subprocess.run([*program, str(python)], check=True, capture_output=True, text=True)
    sbom: dict[str, Any] = json.loads(done.stdout)
    for component in sbom["components"]:  # the place of the wheel on this machine is nobody's
        kept = [
            reference
            for reference in component.pop("externalReferences", [])
            if not reference["url"].startswith("file:")
        ]
        component |= {"externalReferences": kept} if kept else {}
    sbom["metadata"]["component"]["version"] = _version(python)
    sbom["components"] += [_vendored(each) for each in VENDORED]
    return sbom


def _version(python: Path) -> str:
    program = [python, "-c", "import clearzoom; print(clearzoom.__version__)"]
    return subprocess.run(program, check=True, capture_output=True, text=True).stdout.strip()


def _vendored(each: dict[str, Any]) -> dict[str, Any]:
    said = {name: each[name] for name in ("type", "name", "version", "purl") if name in each}
    files = [
        {
            "type": "file",
            "name": Path(name).name,
            "hashes": [{"alg": "SHA-256", "content": _sha256(ROOT / name)}],
        }
        for name in each["files"]
    ]
    return said | {
        "bom-ref": f"vendored:{each['name']}",
        "licenses": [{"license": {"id": each["licence"]}}],
        "components": files,
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(wheel: Path, target: Path) -> None:
    """Write the SBOM of a wheel."""
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(listed(environment(wheel, Path(folder))), indent=1) + "\n"
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise SystemExit(f"not a valid SBOM: {fault}")
    target.write_text(text, "utf-8")
    print(f"{target}  {len(text):,} bytes")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
