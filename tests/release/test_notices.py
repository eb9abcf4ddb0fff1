"""What the package brings of others is named, in words and in the SBOM."""

import hashlib
import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from helpers.dockerfile import IMAGE_VERSION, program_of

from clearzoom.weights import released

ROOT = Path(__file__).parent.parent.parent
NOTICES = (ROOT / "THIRD_PARTY_NOTICES.md").read_text("utf-8")


def test_every_vendored_file_is_named(make_sbom):
    vendored = {
        path
        for folder in (ROOT / "src").rglob("vendor")
        for path in folder.rglob("*")
        if path.suffix in (".js", ".mjs", ".wasm")
    }
    assert vendored
    listed = {ROOT / name for each in make_sbom.VENDORED for name in each["files"]}
    assert vendored <= listed
    for path in vendored:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.name in NOTICES
        assert digest in (path.parent / "README.md").read_text("utf-8"), f"{path} is another"
    for each in make_sbom.VENDORED:
        assert each["licence"] in NOTICES
        assert each.get("version", "") in NOTICES


def test_the_licences_are_there_in_full():
    for path in (ROOT / "src").rglob("vendor/**/LICENSE*"):
        assert path.read_text("utf-8").strip() in NOTICES


def test_the_licences_of_the_training_pictures_are_named():
    for card in released():
        for licence in card.training.data_licence.replace(" or ", ", ").split("; "):
            for word in licence.replace(",", " ").replace("/", " ").split():
                if word.startswith(("CC", "Unsplash", "Pexels", "Debian", "Kaboompics", "System")):
                    assert word.strip("():") in NOTICES, licence


@pytest.mark.release
def test_the_sbom_lists_what_runs_and_what_is_vendored(make_sbom, serving_environment):
    sbom = make_sbom.listed(program_of(serving_environment, "python"))
    text = json.dumps(sbom)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert str(serving_environment) not in text
    assert "file:" not in text
    root = sbom["metadata"]["component"]
    assert (root["name"], root["version"]) == ("clearzoom", IMAGE_VERSION)
    components = {each["name"]: each for each in sbom["components"]}
    assert {"numpy", "onnxruntime", "pyvips", "fastapi", "openseadragon"} <= components.keys()
    assert not {"torch", "pytest", "pip"} & components.keys()
    (hashed,) = components["openseadragon"]["components"][0]["hashes"]
    vendored = ROOT / "src/clearzoom/server/page/vendor/openseadragon.min.js"
    assert hashed["content"] == hashlib.sha256(vendored.read_bytes()).hexdigest()
