"""Run a network with torch, on a GPU of NVIDIA or Apple where there is one. Needs [train]."""

from collections.abc import Callable
from pathlib import Path

from clearzoom.core.arrays import Tensor
from clearzoom.engines import Precision
from clearzoom.errors import MissingExtraError, ModelError, WeightsError
from clearzoom.weights import torch_file


def load_torch(
    path: Path, precision: Precision = "fp32", denoise: float | None = None
) -> Callable[[Tensor], Tensor]:
    """Load the .safetensors file beside an ONNX file; it states which network it holds.

    Args:
        path: the .onnx file that ``clearzoom export`` wrote.
        precision: the precision of the convolutions; input and output stay fp32.
        denoise: the level of a network that has levels; None for its own.

    Returns:
        A function from (1, 3, H, W) float32 to (1, 3, scale * H, scale * W) float32.

    Raises:
        MissingExtraError: torch or the released weights for it are not installed.
        ModelError: torch does not run this precision.
        WeightsError: the weights are missing beside the ONNX file, or damaged.
    """
    try:
        import torch

        from clearzoom.models.weights import exported_network
    except ModuleNotFoundError as error:
        raise MissingExtraError("the engine torch", "train") from error
    weights = torch_file(path)
    if not weights.is_file():
        raise WeightsError(f"the engine torch needs {weights.name} beside {path}")
    plain = exported_network(weights).at_level(denoise)
    mps = torch.backends.mps.is_available()
    device = torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
    kinds = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    if precision not in kinds:
        raise ModelError(
            f"the engine torch does not run {precision}; leave `engine` torch out", setting="engine"
        )
    kind = kinds[precision]
    plain = plain.eval().to(device, kind, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def run(x: Tensor) -> Tensor:
        lr = torch.from_numpy(x).to(device, kind, memory_format=torch.channels_last)
        y: Tensor = plain.forward_fused(lr).float().contiguous().cpu().numpy()
        return y

    return run
