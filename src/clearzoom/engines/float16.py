"""Convert an ONNX file to fp16, for onnxruntime, which computes in the precision of the file."""

from pathlib import Path

from clearzoom.errors import ModelError


def float16_model(model: Path | bytes) -> bytes:
    """Convert a network's weights and operations to fp16; its input and output stay as they are.

    The converter is that of onnxruntime, which needs the package onnx.

    Args:
        model: the path of an .onnx file, or its content.

    Returns:
        The content of the converted file.

    Raises:
        ModelError: onnx is not installed.
    """
    try:
        import onnx
        from onnxruntime.transformers.float16 import convert_float_to_float16
    except ImportError as error:
        raise ModelError(
            "fp16 in onnxruntime needs the package onnx: pip install onnx; or leave `precision` "
            "fp16 out",
            setting="precision",
        ) from error
    content = model.read_bytes() if isinstance(model, Path) else model
    half = convert_float_to_float16(onnx.load_from_string(content), keep_io_types=True)
    converted: bytes = half.SerializeToString()
    return converted
