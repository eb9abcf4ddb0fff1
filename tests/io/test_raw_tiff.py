import numpy as np
import pytest

from clearzoom.io.raw_tiff import header, map_picture, picture_bytes, stream_picture
from clearzoom.io.scratch import reserve


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("channels", "cmyk"), [(1, False), (2, False), (3, False), (4, False), (4, True), (5, True)]
)
def test_libvips_reads_what_was_mapped(tmp_path, random, dtype, channels, cmyk):
    shape = (37, 23, channels)
    samples = random.integers(np.iinfo(dtype).max + 1, size=shape).astype(dtype)
    path = tmp_path / "p.tif"
    reserve(path, len(header(shape, dtype, cmyk=cmyk)) + picture_bytes(shape, dtype))
    mapped = map_picture(path, shape, dtype, cmyk=cmyk)
    mapped[:] = samples
    mapped.flush()
    image = stream_picture(path)
    np.testing.assert_array_equal(image.numpy().reshape(shape), samples)
    np.testing.assert_array_equal(map_picture(path, shape, dtype, cmyk=cmyk), samples)
