"""Run a network with torch, on the CPU or a GPU. Needs the extra [train]."""

from collections.abc import Callable
from pathlib import Path

from clearzoom.core.arrays import Tensor
from clearzoom.engines import Precision
from clearzoom.errors import MissingExtraError, ModelError, WeightsError
from clearzoom.weights import torch_file


def load_torch(
    path: Path,
    precision: Precision = "fp32",
    denoise: float | None = None,
    device: str = "cpu",
) -> Callable[[Tensor], Tensor]:
    """Load the .safetensors file beside an ONNX file; it states which network it holds.

    Args:
        path: the .onnx file that ``clearzoom export`` wrote.
        precision: the precision of the convolutions; input and output stay fp32.
        denoise: the level of a network that has levels; None for its own.
        device: torch's name of the device: cpu, cuda or mps.

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
    kinds = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    if precision not in kinds:
        raise ModelError(
            f"the engine torch does not run {precision}; leave `engine` torch out", setting="engine"
        )
    kind = kinds[precision]
    plain = plain.eval().to(device, kind, memory_format=torch.channels_last)  # type: ignore[call-overload]

    if device == "cuda":
        # TF32 would round the products of fp32; some algorithms add in another order in each run.
        torch.backends.cudnn.conv.fp32_precision = "ieee"  # type: ignore[attr-defined]
        torch.backends.cudnn.deterministic = True

    @torch.inference_mode()
    def run(x: Tensor) -> Tensor:
        lr = torch.from_numpy(x).to(device, kind, memory_format=torch.channels_last)
        y: Tensor = plain.forward_fused(lr).float().contiguous().cpu().numpy()
        return y

    return run
