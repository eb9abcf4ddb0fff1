"""Builds the Dockerfile's image below a folder, and runs it, with no container engine."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parent.parent.parent
OF_THE_IMAGE = re.compile(r"(?<![\w./-])/(?:opt|cache|pictures|source)\b")
"""Paths that lie below the folder; all others, as those of the shell, are this machine's."""

IMAGE_VERSION = "7.8.9"


def program_of(environment, name):
    """Give a program of a virtual environment."""
    return environment / ("Scripts" if sys.platform == "win32" else "bin") / name


@dataclass
class Stage:
    """The instructions from one FROM to the next, as (name, value)."""

    base: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all_of(self, name):
        return [value for each, value in self.instructions if each == name]

    def last(self, name):
        return self.all_of(name)[-1]


def stages_of(path):
    """Parse a Dockerfile; ARG values before the first FROM are put into the FROMs."""
    globals_, stages = {}, []
    for each in DockerfileParser(str(path)).structure:
        name, value = each["instruction"], each["value"]
        if name == "COMMENT":
            continue
        if name == "FROM":
            for argument, given in globals_.items():
                value = value.replace(f"${{{argument}}}", given)
            base, *named = re.split(r"\s+AS\s+", value)
            stages.append(Stage(base, named[0] if named else ""))
        elif not stages:
            assert name == "ARG", f"{name} before FROM"
            argument, _, globals_[argument] = value.partition("=")
        else:
            stages[-1].instructions.append((name, value))
    return stages


@dataclass
class Image:
    """An image below ``root``, and how it is started."""

    root: Path
    stage: Stage
    outside: dict[str, str]

    def place(self, path):
        return self.root / path.lstrip("/")

    def placed(self, text):
        """Give a text whose paths of the image are those below the folder."""
        return OF_THE_IMAGE.sub(lambda found: str(self.place(found[0])), text)

    def environment(self):
        said = {}
        for value in self.stage.all_of("ENV"):
            said |= dict(each.split("=", 1) for each in shlex.split(self.placed(value)))
        said["PATH"] = said["PATH"].replace("$PATH", self.outside["PATH"])
        return self.outside | said

    def command(self, *arguments):
        """What is run, with the default arguments where none are given."""
        default = json.loads(self.stage.last("CMD"))
        entry = json.loads(self.stage.last("ENTRYPOINT"))
        return [self.placed(each) for each in [*entry, *(arguments or default)]]

    def health_check(self):
        words = self.stage.last("HEALTHCHECK").partition(" CMD ")[2]
        return json.loads(words)


def read_only(command, writable):
    """Give a command that runs another with nothing writable but new, empty ``writable`` folders.

    The file system is that of this machine, in a mount namespace of its own; no capability is
    left, so that being root does not help.
    """
    mounts = [f"mount -t tmpfs none {shlex.quote(str(folder))}" for folder in writable]
    steps = ["mount -o remount,bind,ro /", *mounts]
    last = ["exec", "setpriv", "--bounding-set=-all", "--inh-caps=-all", *map(str, command)]
    return ["unshare", "--mount", "sh", "-ec", "\n".join([*steps, shlex.join(last)])]


def in_context(name):
    """Whether .dockerignore lets a file through; the last pattern that fits decides."""
    kept = True
    for pattern in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        wanted = pattern.removeprefix("!").removeprefix("**/")
        parents = [name, *map(str, Path(name).parents)]
        if not pattern.startswith("#") and any(fnmatch(each, wanted) for each in parents):
            kept = pattern.startswith("!")
    return kept


def built_image(root, outside, version):
    """Do the steps of the Dockerfile's stages, in order."""
    *earlier, final = stages_of(ROOT / "Dockerfile")
    image = Image(root, final, outside)
    for stage in [*earlier, final]:
        folder, given = root, {"VERSION": version}
        for name, value in stage.instructions:
            if name == "WORKDIR":
                folder = image.place(value)
                folder.mkdir(parents=True, exist_ok=True)
            elif name == "COPY" and "--from=" not in value:
                *sources, target = value.split()
                for source in sources:
                    copy_in(source, folder / target)
            elif name == "COPY":  # each stage has the same folder here
                (from_, to) = value.split()[1:]
                assert from_ == to
            elif name == "RUN":
                tools = f"{Path(sys.executable).parent}:{outside['PATH']}"
                done = subprocess.run(
                    ["sh", "-ec", image.placed(value)],
                    cwd=folder,
                    env=outside | given | {"PATH": tools},
                    capture_output=True,
                    text=True,
                )
                assert done.returncode == 0, f"{value}: {done.stderr}"
    return image


def copy_in(source, target):
    """COPY from the build's context."""
    assert in_context(source), f".dockerignore keeps {source} out"
    path = ROOT / source
    if path.is_dir():
        shutil.copytree(path, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
