"""What pip leaves on the disk for clearzoom and each extra, in fresh environments.

    make dist
    python benchmarks/install_sizes.py plain serve s3 ray
    python benchmarks/install_sizes.py train --with torch==2.13.0+cpu --find-links FOLDER

The wheels of dist/ are installed with all that they ask for, in the newest versions that pip takes,
or in those of --constraint. MB are 10**6 bytes of files, compiled modules included.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent


def installed_bytes(wheel: Path, extra: str, options: list[str]) -> tuple[int, int]:
    """Install a wheel into a fresh environment.

    Args:
        wheel: clearzoom's, with those of the data packages beside it.
        extra: the name of an extra; "plain" means none.
        options: more options and requirements for pip.

    Returns:
        How many packages there are then, and the bytes of their files.
    """
    with tempfile.TemporaryDirectory() as name:
        environment = Path(name)
        venv.create(environment, with_pip=False)
        python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        wanted = str(wheel) if extra == "plain" else f"{wheel}[{extra}]"
        program = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
        program += ["--find-links", str(wheel.parent), wanted, *options]
        subprocess.run(program, check=True)
        files = [
            path for path in environment.rglob("*") if path.is_file() and not path.is_symlink()
        ]
        packages = sum(1 for _ in environment.rglob("*.dist-info"))
        return packages, sum(path.stat().st_size for path in files)


def main() -> None:
    """Print a row for each extra."""
    parser = argparse.ArgumentParser()
    parser.add_argument("extras", nargs="+", help="plain, or names of extras like serve or s3,ray")
    parser.add_argument("--with", dest="more", action="append", default=[], help="a requirement")
    parser.add_argument("--constraint", action="append", default=[], help="as pip's")
    parser.add_argument("--find-links", action="append", default=[], help="as pip's")
    chosen = parser.parse_args()
    (wheel,) = (ROOT / "dist").glob("clearzoom-*.whl")
    options = list(chosen.more)
    for name in ("constraint", "find_links"):
        for value in getattr(chosen, name):
            options += [f"--{name.replace('_', '-')}", value]
    print("| extra | packages | MB |\n| --- | --- | --- |", flush=True)
    for extra in chosen.extras:
        packages, size = installed_bytes(wheel, extra, options)
        print(f"| {extra} | {packages} | {size / 1e6:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
