"""The chapter's table, counted from this project's networks, with the share of each part."""

from matplotlib.figure import Figure
from safetensors.torch import save

from clearzoom.explain.figures import FILLS, in_house_style, panels
from clearzoom.explain.page import Drawing, Page, table
from clearzoom.models.count import FORMULA, Count, count, counts_by_layer
from clearzoom.models.registry import build
from clearzoom.models.srresnet import SLIM, SRResNetConfig

NETWORKS = ("srresnet", "srresnet-slim")
INPUT_PX = 64

PARTS = {
    "trunk.head": "first convolution",
    "trunk.blocks": "residual blocks",
    "trunk": "convolution after them",
    "upscale": "upscaling stages",
    "tail": "last convolution",
}
"""The network's parts by the first matching prefix of a layer's name."""

CHANGES = {
    "norm": "another normalisation: a scale and a shift a channel, no statistics",
    "depthwise_upscaling": "depthwise convolution in the ×2 upscaling stages",
    "narrow_channels": "the first convolution of each residual block narrowed",
    "dilations": "dilations over the blocks, for a wider view",
    "output_activation": "tanh at the end",
    "head_kernel": "a smaller first convolution",
    "tail_kernel": "a smaller last convolution",
}
"""The seven changes by their setting, in the chapter's order."""


def counts_by_part(name: str) -> dict[str, Count]:
    """Count a network's parts at x4.

    Args:
        name: of a network of the SRResNet family.

    Returns:
        By the part's words, in the order of running; they sum to the whole.
    """
    sums = {words: Count(0, 0, 0) for words in PARTS.values()}
    for layer, own in counts_by_layer(build(name), INPUT_PX, INPUT_PX).items():
        words = next(words for start, words in PARTS.items() if layer.startswith(start))
        old = sums[words]
        sums[words] = Count(
            old.parameters + own.parameters, old.macc + own.macc, old.flops + own.flops
        )
    return sums


def explain() -> Page:
    """Make the page.

    Example:
        >>> "| MACC | 9,094,381,568 | 2,758,885,376 |" in explain().markdown()
        True
    """
    parts = {name: counts_by_part(name) for name in NETWORKS}
    return Page(
        "table",
        (
            "## SRResNet · SRResNet 原論文改良",
            "SRResNet (Ledig et al., arXiv:1609.04802) is a post-upsampling network: a 9×9 "
            "convolution, 16 residual blocks and a long skip, all at the small size; then two "
            "stages of 3×3 convolution, [pixel shuffle](pixel-shuffle.md) and PReLU, each of "
            "which doubles the sides; a 9×9 convolution ends it. The last one alone, at full "
            "size, costs more than a tenth of the whole.",
            "## The slim variant · 本次實作改良",
            "Seven changes, each a setting of its own under `[network] settings`; what they "
            "do, one after the other, is in [the ablation](ablation.md).",
            _changes(),
            f"## The table: input 3×{INPUT_PX}×{INPUT_PX}, ×4",
            _whole(),
            f"Counted from the modules and the shapes that pass them: {FORMULA}. File: the "
            "weights as safetensors, in MB of 10⁶ bytes (the chapter's own files: 6.3 and 2.7 MB).",
            "## Where the work is",
            _by_part(parts),
            Drawing(
                "table",
                "Multiply-accumulates by part of the network, in G (10⁹).",
                _figure(parts),
            ),
            "`clearzoom models` counts every network.",
        ),
    )


def _whole() -> str:
    networks = [build(name) for name in NETWORKS]
    counted = [count(net, INPUT_PX, INPUT_PX) for net in networks]
    sizes = [len(save(net.state_dict())) for net in networks]
    rows = [
        ["parameters", *(f"{c.parameters:,}" for c in counted)],
        ["MACC", *(f"{c.macc:,}" for c in counted)],
        ["FLOPs", *(f"{c.flops / 1e9:.5f} G" for c in counted)],
        ["file, measured", *(f"{size / 1e6:.1f} MB" for size in sizes)],
    ]
    return table(["", *NETWORKS], rows)


def _changes() -> str:
    before, after = SRResNetConfig().model_dump(mode="json"), SLIM.model_dump(mode="json")
    rows = [
        [f"{number}. {words}", f"`{setting}`", _value(before[setting]), _value(after[setting])]
        for number, (setting, words) in enumerate(CHANGES.items(), 1)
    ]
    return table(["change", "setting", *NETWORKS], rows)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _by_part(parts: dict[str, dict[str, Count]]) -> str:
    rows = []
    for words in PARTS.values():
        cells = []
        for name in NETWORKS:
            own, whole = parts[name][words], sum(c.macc for c in parts[name].values())
            cells += [f"{own.parameters:,}", f"{own.macc:,}", f"{100 * own.macc / whole:.1f} %"]
        rows.append([words, *cells])
    head = [f"{name}: {what}" for name in NETWORKS for what in ("parameters", "MACC", "share")]
    return table(["part", *head], rows)


@in_house_style
def _figure(parts: dict[str, dict[str, Count]]) -> Figure:
    figure, [[axes]] = panels(1, 1, 8.0, 2.4)
    for at, name in enumerate(NETWORKS):
        left = 0.0
        for fill, (words, own) in zip(FILLS, parts[name].items(), strict=True):
            width = own.macc / 1e9
            label = words if at == 0 else None
            axes.barh(at, width, 0.55, left, edgecolor="0.0", linewidth=0.7, label=label, **fill)
            left += width
        axes.text(left + 0.1, at, f"{left:.2f} G", va="center")
    axes.set_yticks(range(len(NETWORKS)), NETWORKS)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set(xlabel=f"MACC at 3×{INPUT_PX}×{INPUT_PX}, ×4 (G)", xlim=(0, 10))
    figure.legend(loc="outside upper center", ncols=len(PARTS), fontsize=8, handlelength=1.6)
    return figure
