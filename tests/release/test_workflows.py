"""The workflow files fit their schema, and call make targets that exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def fits(schema, *paths):
    program = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*program, *paths], capture_output=True, text=True)
    return done.returncode == 0, done.stdout


def steps_of(workflow):
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"]
    return [(job, step) for job in jobs.values() for step in job["steps"]]


def targets():
    return set(re.findall(r"^([\w./]+):(?!=)", MAKEFILE, re.MULTILINE))


@pytest.mark.slow
def test_they_fit_the_schema(tmp_path):
    good, told = fits("github-workflows", *WORKFLOWS)
    assert good, told
    (tmp_path / "bad.yml").write_text(WORKFLOWS[0].read_text("utf-8").replace("runs-on", "run-on"))
    assert not fits("github-workflows", tmp_path / "bad.yml")[0]


@pytest.mark.slow
def test_the_citation_fits_its_schema():
    good, told = fits("citation-file-format", ROOT / "CITATION.cff")
    assert good, told


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_the_targets_exist(workflow):
    called = {
        target
        for _, step in steps_of(workflow)
        for target in re.findall(r"^make ([\w]+)", step.get("run", ""), re.MULTILINE)
    }
    assert called
    assert called <= targets()


def test_the_readmes_targets_run_on_three_systems():
    job = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))["jobs"]["test"]
    systems = {name.split("-")[0] for name in job["strategy"]["matrix"]["os"]}
    assert systems == {"ubuntu", "macos", "windows"}
    readme = (ROOT / "README.md").read_text("utf-8")
    for target in re.findall(r"^make (\w+)", readme, re.MULTILINE):
        assert any(step.get("run", "").startswith(f"make {target}") for step in job["steps"])


def test_no_step_may_do_more_than_it_needs():
    """Tokens are read-only but where a job says otherwise; nothing is published with a secret."""
    for workflow in WORKFLOWS:
        text = workflow.read_text("utf-8")
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
        assert "secrets." not in text
        for job, step in steps_of(workflow):
            assert job["timeout-minutes"] <= 90
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", sorted(targets() - {".venv/made"}))
def test_make_knows_what_to_do(name):
    """Also as Windows would have it: programs of an environment are in Scripts there."""
    for system, programs in (("", ".venv/bin/"), ("Windows_NT", ".venv/Scripts/")):
        command = ["make", "--dry-run", "--always-make", "-C", ROOT, f"OS={system}", name]
        done = subprocess.run(
            [*command, "SHELL=/bin/sh"], capture_output=True, text=True, check=True
        )
        used = re.findall(r"\.venv/(?:bin|Scripts)/", done.stdout)
        assert used or name == "clean"
        assert set(used) <= {programs}
