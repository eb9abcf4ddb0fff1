import pytest

from clearzoom.errors import MissingFileError
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
