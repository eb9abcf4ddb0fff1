"""LPIPS and DISTS of models on clean and spoilt pictures: a second judge that was in no loss.

    clearzoom weights fetch vgg16 && clearzoom weights fetch lpips
    python benchmarks/judges.py ../shared/data/test/Set14 --model photo --model photo-crisp@0.5

MODEL@STRENGTH is a model at a strength below 1. LPIPS sees with AlexNet. DISTS (Ding et al.,
arXiv:2004.07728) sees with VGG-16, but compares other things: the means of each feature over the
picture, which are its textures, and their correlations. Its weights come with torchmetrics, whose
own class asks for torchvision; here its layers are filled with the fetched VGG-16.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from asked import settings_of
from torch import nn
from torchmetrics.functional.image import dists
from torchmetrics.functional.image.dists import DISTSNetwork, L2pooling

from clearzoom.io.folder import picture_files
from clearzoom.io.reading import decode_rgb8
from clearzoom.losses.features import IMAGENET_MEAN, IMAGENET_STD
from clearzoom.losses.pretrained import load_weights
from clearzoom.metrics.evaluate import evaluate
from clearzoom.metrics.methods import Image, LrPicture, Method
from clearzoom.metrics.protocol import crop_to_multiple, shave
from clearzoom.pipeline.command_method import as_command

SCALE = 4
LR = ("clean", "mild", "usual", "heavy")
BLOCKS = {1: (1, 2), 2: (1, 2), 3: (1, 2, 3), 4: (1, 2, 3), 5: (1, 2, 3)}
CHANNELS = [3, 64, 128, 256, 512, 512]


def dists_network() -> DISTSNetwork:
    """Make torchmetrics' network without torchvision: its constructor is the part that asks."""
    net = DISTSNetwork.__new__(DISTSNetwork)
    nn.Module.__init__(net)
    vgg = load_weights("vgg16")
    for block, numbers in BLOCKS.items():
        stage = nn.Sequential()
        if block > 1:
            stage.append(L2pooling(channels=CHANNELS[block - 1]))
        for number in numbers:
            weight, bias = (vgg[f"conv{block}_{number}.{part}"] for part in ("weight", "bias"))
            convolution = nn.Conv2d(*reversed(weight.shape[:2]), 3, padding=1)
            convolution.load_state_dict({"weight": weight, "bias": bias})
            stage.extend([convolution, nn.ReLU()])
        setattr(net, f"stage{block}", stage)
    for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
        net.register_buffer(name, torch.tensor(values).view(1, -1, 1, 1))
    net.chns = CHANNELS
    learned = torch.load(Path(dists.__file__).parent / "dists_models/weights.pt", weights_only=True)
    net.alpha, net.beta = learned["alpha"], learned["beta"]
    return net.requires_grad_(False)


def as_tensor(picture: Image) -> torch.Tensor:
    """Shaved as the protocol does, (1, 3, H, W) in 0..1."""
    planes = np.ascontiguousarray(shave(picture, SCALE).transpose(2, 0, 1))
    return torch.from_numpy(planes)[None].float() / 255


def watched(method: Method, seen: list[Image]) -> Method:
    """The same method, whose pictures are kept in ``seen``, in their order."""

    def enlarge(given: LrPicture) -> Image:
        seen.append(method.enlarge(given))
        return seen[-1]

    return Method(method.name, method.weights_sha256, enlarge)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", action="append", required=True, help="repeatable")
    parser.add_argument("--lr", action="append", choices=LR, help="repeatable; without it, all")
    chosen = parser.parse_args()
    net = dists_network()
    files = picture_files(chosen.folder)
    true = [as_tensor(crop_to_multiple(decode_rgb8(f.read_bytes()), SCALE)) for f in files]
    for kind in chosen.lr or LR:
        faults = None if kind == "clean" else kind
        for model in chosen.model:
            seen: list[Image] = []
            method = watched(as_command(settings_of(model, SCALE)), seen)
            _, row = evaluate(chosen.folder, SCALE, [method], lpips=True, faults=faults)
            pairs = zip(seen, true, strict=True)
            mean = np.mean([float(net(as_tensor(sr), hr)) for sr, hr in pairs])
            print(
                f"{chosen.folder.name} {kind} {row.model}: {row.psnr_db:.2f} dB  "
                f"LPIPS {row.lpips:.4f}  DISTS {mean:.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
