import hashlib
import re

from clearzoom.weights import FOLDER, released
from clearzoom.weights.shipped import ABOUT


def test_all_released_models_are_listed(api):
    said = api(model="photo").get("/api/models").json()
    assert said["default"] == "photo"
    models = {row["name"]: row for row in said["models"]}
    assert set(models) == {card.name for card in released()} == set(ABOUT)
    for card in released():
        row = models[card.name]
        assert card.scale in row["scales"]
        assert row["licence"] == card.licence
        assert row["hours"] > 0
        assert row["seconds_per_output_mp"] > 0
        file = FOLDER / f"{card.name}-x{card.scale}.onnx"
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        assert {"scale": card.scale, "sha256": sha256} in row["weights"]
    assert [name for name, row in models.items() if row["strength"]] == ["photo-crisp"]


def test_without_a_wish_a_server_enlarges_by_photo(client):
    assert client.get("/api/models").json()["default"] == "photo"


def test_each_listed_model_enlarges(api, png):
    client = api()
    for row in client.get("/api/models").json()["models"]:
        answer = client.post("/api/enlarge", params={"model": row["name"]}, content=png(6, 4))
        assert answer.status_code == 200
        hashes = answer.headers["x-clearzoom-model"].partition("sha256=")[2].split()
        assert set(hashes) <= {weights["sha256"] for weights in row["weights"]}


def test_the_servers_model_is_the_default(api, png):
    client = api(model="photo", consistency="none")
    answer = client.post("/api/enlarge", content=png(6, 4))
    stated = answer.headers["x-clearzoom-model"]
    assert re.match(r"photo at denoise [0-9.]+ x4; sha256=[0-9a-f]{64}$", stated)
