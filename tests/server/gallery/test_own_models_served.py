"""A person's own models on the server: listed, and used like the released ones."""

import hashlib
import logging

import pytest
from helpers.graphs import convolved

from clearzoom.probe.add import add_model
from clearzoom.server.app import create_app

pytestmark = pytest.mark.slow


@pytest.fixture
def with_models(add_own, tmp_path):
    folder = add_own("mine", 2)
    add_model(convolved(tmp_path / "net.onnx", 3), "CC0-1.0", "theirs", print)
    return folder


def test_they_are_listed_with_what_is_known(with_models, api):
    models = {row["name"]: row for row in api().get("/api/models").json()["models"]}
    assert {row["kind"] for name, row in models.items() if name not in ("mine", "theirs")} == {
        "released"
    }
    mine, theirs = models["mine"], models["theirs"]
    assert (mine["kind"], mine["scales"], mine["strength"]) == ("own", [2], False)
    assert mine["hours"] > 0
    assert (theirs["kind"], theirs["scales"], theirs["licence"]) == ("added", [3], "CC0-1.0")
    assert theirs["hours"] is theirs["seconds_per_output_mp"] is None
    assert "net.onnx" in theirs["about"]
    for row in (mine, theirs):
        (weights,) = row["weights"]
        file = with_models / f"{row['name']}-x{weights['scale']}.onnx"
        assert weights["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.usefixtures("with_models")
def test_they_enlarge_by_request_and_as_virtual_pictures(session, served, png):
    settings = session(model="mine", consistency="none")
    (settings.folder / "cat.png").write_bytes(png(30, 20))
    client = served(create_app(settings))
    assert client.get("/api/models").json()["default"] == "mine"
    for name, scale in (("mine", 2), ("theirs", 3)):
        answer = client.post("/api/enlarge", params={"model": name, "scale": scale}, content=png())
        assert answer.status_code == 200
        assert answer.headers["x-clearzoom-model"].startswith(f"{name} x{scale}; sha256=")
        inferred = client.get(f"/iiif/3/cat.png~x4,{name}/0,0,60,60/max/0/default.png")
        assert inferred.status_code == 200
        assert inferred.headers["x-clearzoom-model"].startswith(f"{name} x{scale}")


def test_a_damaged_one_is_left_out_and_the_log_says_so(with_models, api, caplog):
    (with_models / "mine-x2.json").write_text("{")
    with caplog.at_level(logging.WARNING, "clearzoom.server"):
        client = api()
    assert "mine-x2.json" in caplog.text
    names = {row["name"] for row in client.get("/api/models").json()["models"]}
    assert "theirs" in names
    assert "mine" not in names
