"""clearzoom.toml: what a folder's owner says of its pictures."""

import shutil
from pathlib import Path
from urllib.parse import quote

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "chelsea.png"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
OTHER = "https://example.org/rights"


@pytest.fixture
def folder(tmp_path):
    """Four pictures in three folders; ``say`` writes what is said."""
    root = tmp_path / "marked"
    for name in ("a.png", "in/b.png", "in/deep/c.png", "in/deep/d.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXAMPLE, root / name)
    return root


def say(folder, text):
    (folder / "clearzoom.toml").write_text(text)


def listed(ask, *wanted):
    """What /api/pictures says of each picture."""
    said = ask("GET", "/api/pictures").json()
    assert not said["unreadable"]
    found = {each["id"]: tuple(each[name] for name in wanted) for each in said["pictures"]}
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def test_nothing_said(in_process, folder):
    ask = in_process(folder=folder)
    wanted = "upscaling", "max_scale", "rights", "attribution", "label"
    assert set(listed(ask, *wanted).values()) == {(True, 16, None, None, None)}


def test_the_inner_one_wins(in_process, folder):
    say(folder, "upscaling = false")
    say(folder / "in/deep", "upscaling = true")
    ask = in_process(folder=folder)
    assert listed(ask, "upscaling", "max_scale") == {
        "a.png": (False, None),
        "in/b.png": (False, None),
        "in/deep/c.png": (True, 16),
        "in/deep/d.png": (True, 16),
    }


def test_a_picture_is_more_than_its_folder(in_process, folder):
    say(folder, '[pictures]\n"a.png" = { upscaling = false }')
    say(folder / "in/deep", 'upscaling = false\n[pictures]\n"c.png" = { upscaling = true }')
    ask = in_process(folder=folder)
    assert listed(ask, "upscaling") == {
        "a.png": False,
        "in/b.png": True,
        "in/deep/c.png": True,
        "in/deep/d.png": False,
    }


def test_an_outer_folder_can_name_a_picture_by_its_path(in_process, folder):
    say(folder, '[pictures]\n"in/deep/c.png" = { label = "The cat" }\n"c.png" = { label = "no" }')
    ask = in_process(folder=folder)
    assert [name for name, label in listed(ask, "label").items() if label] == ["in/deep/c.png"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "route",
    [
        "/iiif/3/{}~x4/info.json",
        "/iiif/3/{}~x2/full/100,/0/default.jpg",
        "/iiif/3/{}~x2,bicubic/full/max/0/default.jpg",
        "/iiif/3/{}~f4/info.json",
        "/iiif/3/{}/0,0,50,50/^100,/0/default.jpg",
        "/iiif/presentation/3/{}~x4/manifest",
        "/dzi/{}~x4.dzi",
        "/dzi/{}~x4_files/0/0_0.jpg",
    ],
)
def test_switched_off_everywhere(in_process, folder, route):
    say(folder / "in", "upscaling = false")
    ask = in_process(folder=folder)
    answer = ask("GET", route.format("in%2Fdeep%2Fc.png"))
    assert (answer.status_code, answer.json()["code"]) == (501, "switched-off")
    assert ask("GET", route.format("a.png")).status_code == 200
    plain = ask("GET", "/iiif/3/in%2Fdeep%2Fc.png/info.json").json()
    assert "virtual" not in plain["clearzoom"]
    assert "sizeUpscaling" not in plain["extraFeatures"]


def test_rights_and_attribution_reach_every_description(in_process, folder):
    say(folder, f'rights = "{LICENCE}"\nattribution = "One & two"\nlabel = "of the folder alone"')
    say(folder / "in/deep", f'rights = "{OTHER}"\n[pictures]\n"c.png" = {{ label = "The <cat>" }}')
    ask = in_process(folder=folder)
    assert listed(ask, "rights", "attribution", "label") == {
        "a.png": (LICENCE, "One & two", None),
        "in/b.png": (LICENCE, "One & two", None),
        "in/deep/c.png": (OTHER, "One & two", "The <cat>"),
        "in/deep/d.png": (OTHER, "One & two", None),
    }
    for suffix in ("", "~x4"):
        outer = ask("GET", f"/iiif/presentation/3/a.png{suffix}/manifest").json()
        assert outer["rights"] == LICENCE.replace("https", "http")
        assert outer["requiredStatement"]["value"]["none"] == ["One & two"]
        inner = ask("GET", f"/iiif/presentation/3/{quote('in/deep/c.png', '')}{suffix}/manifest")
        assert "rights" not in inner.json()  # the standard allows two registries there
        assert inner.json()["metadata"][0]["value"]["none"] == [OTHER]
        deep = quote("in/deep/c.png", "")
        assert "rights" not in ask("GET", f"/iiif/3/{deep}{suffix}/info.json").json()
        label = inner.json()["label"]["en" if suffix else "none"]
        assert label[0].startswith("The <cat>")
        assert ask("GET", f"/iiif/3/a.png{suffix}/info.json").json()["rights"] == (
            LICENCE.replace("https", "http")
        )


def test_a_change_counts_at_once(in_process, folder):
    ask = in_process(folder=folder)
    assert ask("GET", "/iiif/3/a.png~x4/info.json").status_code == 200
    say(folder, "upscaling = false")
    assert ask("GET", "/iiif/3/a.png~x4/info.json").status_code == 501


MISTAKES = {
    "an unknown key": "upscalng = false  # hush",
    "of a picture": '[pictures]\n"a.png" = { hush = 1 }',
    "no TOML": "upscaling = hush",
    "no address": 'rights = "hush"',
    "a wrong kind": 'upscaling = "hush"',
    "no UTF-8": "label = '\xff'",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_shows_nothing_and_tells_visitors_nothing(in_process, folder, mistake, caplog):
    (folder / "in/clearzoom.toml").write_bytes(MISTAKES[mistake].encode("latin-1"))
    ask = in_process(folder=folder)
    for route in (
        "/iiif/3/in%2Fb.png/info.json",
        "/iiif/3/in%2Fb.png/full/100,/0/default.jpg",
        "/iiif/presentation/3/in%2Fb.png/manifest",
        "/dzi/in%2Fb.png.dzi",
        "/api/pictures/in%2Fb.png",
    ):
        caplog.clear()
        answer = ask("GET", route)
        assert answer.status_code == 500
        assert "hush" not in answer.text
        assert str(folder) not in answer.text
        assert str(folder / "in/clearzoom.toml") in caplog.text
    assert ask("GET", "/iiif/3/a.png/info.json").status_code == 200
    said = ask("GET", "/api/pictures").json()
    assert [each["id"] for each in said["pictures"]] == ["a.png"]
    assert [each["name"] for each in said["unreadable"]] == [
        "in/b.png",
        "in/deep/c.png",
        "in/deep/d.png",
    ]
    assert "hush" not in str(said)


@pytest.mark.slow
@pytest.mark.parametrize("mistake", ["an unknown key", "no UTF-8"])
def test_a_mistake_stops_the_start(command, folder, tmp_path, mistake):
    (folder / "in/deep/clearzoom.toml").write_bytes(MISTAKES[mistake].encode("latin-1"))
    done = command("serve", folder, "--port", "0", "--cache", tmp_path / "cache")
    assert done.returncode == 6
    assert done.stderr.startswith("error[config]: ")
    assert str(folder / "in/deep/clearzoom.toml") in done.stderr
    assert not done.stdout
