"""Enlarge a picture with an exported network and nothing else of clearzoom.

python examples/onnx_only.py src/clearzoom/weights/photo-x4.onnx examples/chelsea.png large.png
"""

import os
import sys

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it is read at the import: nothing is sent
import onnxruntime
from PIL import Image

BORDER_PX = 8  # mirrored around the picture, as clearzoom does: at a bare edge whites would darken

network, source, target = sys.argv[1:]
session = onnxruntime.InferenceSession(network)
scale = int(session.get_modelmeta().custom_metadata_map["scale"])

levels = np.asarray(Image.open(source).convert("RGB"), np.float32)
bordered = np.pad(levels, ((BORDER_PX, BORDER_PX), (BORDER_PX, BORDER_PX), (0, 0)), "symmetric")
lr = (bordered / 255 - 0.5).transpose(2, 0, 1)[None]  # (1, 3, H, W) in -0.5..0.5
sr = session.run(["sr"], {"lr": lr})[0][0].transpose(1, 2, 0)

inner = slice(BORDER_PX * scale, -BORDER_PX * scale)
enlarged = np.clip((sr[inner, inner] + 0.5) * 255, 0, 255).round().astype(np.uint8)
Image.fromarray(enlarged).save(target)
