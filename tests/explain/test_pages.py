"""The pages in docs/explain are what the command makes, and the command fails in clear words."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clearzoom.explain.chapter import INDEX, PAGES, TITLES, TRAINED, index
from clearzoom.explain.figures import encoded
from clearzoom.explain.topics import make
from clearzoom.extras import install_command
from clearzoom.io.reading import decode_rgb8

DOCS = Path(__file__).parents[2] / "docs" / "explain"
PLAIN = [topic for topic in PAGES if topic not in TRAINED]


@pytest.mark.slow
@pytest.mark.parametrize("topic", PLAIN)
def test_the_page_is_current(topic, request):
    if topic == "perceptual":
        request.getfixturevalue("fetched_weights")
    page = make(topic)
    stale = f"run clearzoom explain {topic} --out docs/explain"
    assert (DOCS / f"{topic}.md").read_text("utf-8") == page.markdown(), stale
    for drawing in page.drawings:
        old = decode_rgb8((DOCS / f"{drawing.name}.png").read_bytes()).astype(float)
        new = decode_rgb8(encoded(drawing.figure, "png"))
        assert old.shape == new.shape, stale
        assert np.abs(old - new).mean() < 0.5, stale  # other processors round elsewhere
        assert (DOCS / f"{drawing.name}.svg").is_file(), stale


def test_the_list_of_pages_is_current():
    stale = f"run clearzoom explain {INDEX} --out docs/explain"
    assert (DOCS / "README.md").read_text("utf-8") == index(), stale


@pytest.mark.parametrize("topic", TRAINED)
def test_a_trained_page_says_how_it_was_made(topic):
    text = (DOCS / f"{topic}.md").read_text("utf-8")
    for said in (f"`clearzoom explain {topic} --data ../shared/data", "seed ", "budget: ", " on "):
        assert said in text
    assert len(re.findall(r"sha256 `[0-9a-f]{64}`", text)) == 2
    assert ("--quick" in text) == ("rank nothing" in text)


def test_every_page_has_both_titles_and_its_links_lead_somewhere():
    for topic in PAGES:
        text = (DOCS / f"{topic}.md").read_text("utf-8")
        assert text.startswith(f"# {TITLES[topic][0]} · {TITLES[topic][1]}\n")
    for path in DOCS.glob("*.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text("utf-8")):
            assert (DOCS / link).exists(), f"{path.name}: {link}"


def test_no_figure_is_left_over():
    named = {
        Path(link).name
        for path in DOCS.glob("*.md")
        for link in re.findall(r"\(([\w-]+\.(?:png|svg))\)", path.read_text("utf-8"))
    }
    assert named == {path.name for path in DOCS.iterdir() if path.suffix != ".md"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_figure_is_the_same_bytes_again(kind):
    first, second = (make("pixel-shuffle").drawings[0].figure for _ in range(2))
    assert encoded(first, kind) == encoded(second, kind)
    assert encoded(first, kind) == encoded(first, kind)


@pytest.mark.slow
def test_the_command_writes_page_and_figures(command, tmp_path):
    folder = tmp_path / "new" / "folder"
    done = command("explain", "losses", "--out", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in folder.iterdir()} == {"losses.md", "losses.png", "losses.svg"}
    assert done.stdout.split() == [str(folder / f"losses.{kind}") for kind in ("md", "png", "svg")]


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (("pixels",), "error[input]", 3),
        (("strategies",), "error[missing]", 3),
        (("ablation", "--data", "nowhere", "--quick"), "error[missing]", 3),
    ],
)
def test_what_cannot_be_made_is_one_clear_line(here, tmp_path, arguments, words, status):
    done = here("explain", *arguments, "--out", tmp_path / "out")
    assert done.returncode == status
    assert done.stderr.startswith(words)
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_an_output_error(here, tmp_path):
    (tmp_path / "file").touch()
    done = here("explain", "chapter", "--out", tmp_path / "file" / "folder")
    assert (done.returncode, done.stderr[:13]) == (4, "error[output]")


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["matplotlib", "torch"])
def test_without_its_parts_it_names_the_extra(missing, tmp_path):
    code = (
        f"import sys; sys.modules[{missing!r}] = None;"
        f"sys.argv = ['clearzoom', 'explain', 'losses', '--out', {str(tmp_path)!r}];"
        "from clearzoom.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 7
    assert install_command("explain") in done.stderr
