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
