"""What the package brings of others is named, in words."""

import hashlib
from pathlib import Path

from clearzoom.weights import released

ROOT = Path(__file__).parent.parent.parent
NOTICES = (ROOT / "THIRD_PARTY_NOTICES.md").read_text("utf-8")


def test_every_vendored_file_is_named(make_sbom):
    vendored = {
        path
        for folder in (ROOT / "src").rglob("vendor")
        for path in folder.rglob("*")
        if path.suffix in (".js", ".mjs", ".wasm", ".br")
    }
    assert vendored
    listed = {ROOT / name for each in make_sbom.VENDORED for name in each["files"]}
    assert vendored <= listed
    foreign = {
        path for path in (ROOT / "src").rglob("*.safetensors") if path.parent.name == "losses"
    }
    assert foreign
    assert foreign <= listed
    assert all(path.name in NOTICES for path in foreign)
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
