"""Types of arrays: the sample type of a picture's levels, of tensors, of exact arithmetic."""

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.uint8]
"""8-bit levels 0 to 255: usually a picture, (H, W, C)."""

Tensor = npt.NDArray[np.float32]
"""Single precision: usually what a network reads or gives, (N, C, H, W) or (C, H, W)."""

Float64Array = npt.NDArray[np.float64]
"""Double precision: metrics, kernels and other arithmetic whose rounding must not count."""
