import json

import pytest

from clearzoom.engines.network import load_network
from clearzoom.engines.wrappers import with_consistency
from clearzoom.errors import MissingFileError
from clearzoom.io.writing import write_rgb8
from clearzoom.metrics.evaluate import evaluate

# From the table in ../shared/data/README.md, and the band that DESIGN allows.
BICUBIC = {
    ("Set5", 2): (33.67, 33.69),
    ("Set5", 3): (30.40, 30.42),
    ("Set5", 4): (28.42, 28.43),
    ("Set14", 2): (30.32, 30.34),
    ("Set14", 3): (27.62, 27.64),
    ("Set14", 4): (26.08, 26.10),
}


@pytest.mark.slow
@pytest.mark.parametrize(("data", "scale"), BICUBIC)
def test_bicubic_has_the_published_psnr(shared_data, data, scale):
    (row,) = evaluate(shared_data / "test" / data, scale)
    low, high = BICUBIC[data, scale]
    assert low <= round(row.psnr_db, 2) <= high


def test_no_picture_is_an_error(tmp_path):
    with pytest.raises(MissingFileError, match="no picture"):
        evaluate(tmp_path, 4)


def test_compressed_input_is_another_row_s_name_and_a_worse_score(shared_data):
    folder = shared_data / "test" / "Set5"
    (clean,) = evaluate(folder, 4)
    (compressed,) = evaluate(folder, 4, jpeg_quality=60)
    assert compressed.data == "Set5, LR as JPEG 60"
    assert compressed.data_sha256 == clean.data_sha256
    assert compressed.psnr_db < clean.psnr_db - 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "consistency"),
    [((), "full"), (("--jpeg-quality", "40"), "tones"), (("--consistency", "2"), 2.0)],
)
def test_the_command_measures_what_the_plain_command_gives(
    command, tmp_path, photo, options, consistency
):
    """By each picture's own appraisal: its JPEG's tables, its noise."""

    flat = photo[:240:16, :240:16].repeat(16, axis=0).repeat(16, axis=1)  # quiet
    (tmp_path / "hr").mkdir()
    write_rgb8(tmp_path / "hr" / "a.png", flat)
    done = command("evaluate", "--data", tmp_path / "hr", "--json", *options)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)["rows"][1]
    quality = int(options[1]) if "--jpeg-quality" in options else None
    network = with_consistency(load_network("fast", 4), consistency)
    expected = evaluate(tmp_path / "hr", 4, [network], quality)[1]
    assert row["psnr_db"] == pytest.approx(expected.psnr_db, abs=1e-6)
    assert row["weights_sha256"] == network.sha256
    chosen = " + consistency 2" if "--consistency" in options else ""
    assert row["model"] == f"fast{chosen}"


def test_a_folder_that_has_pictures_in_its_folders_alone_says_so(tmp_path):
    (tmp_path / "below").mkdir()
    with pytest.raises(MissingFileError, match="the folders in it are not searched"):
        evaluate(tmp_path, 2)
