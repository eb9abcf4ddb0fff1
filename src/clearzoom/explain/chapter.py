"""The course chapter's order and titles, and the page that lists them."""

TITLES = {
    "strategies": ("Two strategies of enlarging", "放大策略"),
    "table": ("From SRResNet to the slim variant", "SRResNet 原論文改良 · 本次實作改良"),
    "pixel-shuffle": ("Pixel shuffle, step by step", "Pixel Shuffle 計算流程"),
    "ablation": ("The seven changes, one after the other", "本次實作改良"),
    "losses": ("Pixel-wise losses and their derivatives", "L1 / L2 / Smooth L1 Loss"),
    "perceptual": ("What a pixel-wise loss cannot see", "Perception Loss"),
    "metrics": ("SSIM in three parts, and PSNR", "SSIM 結構相似性指標 · PSNR 峰值信噪比"),
}
"""English and Chinese title of each page."""

PAGES = tuple(TITLES)
"""In reading order."""

TRAINED = ("strategies", "ablation")
"""Pages that come from training networks."""

INDEX = "chapter"
"""The topic that is the list of pages."""

_SECTIONS = (
    ("放大策略", "Strategies", "enlarge first and repair, or enlarge inside", ("strategies",)),
    (
        "SRResNet 原論文改良",
        "SRResNet, the paper's network",
        "its parts, and where its work is",
        ("table",),
    ),
    (
        "Pixel Shuffle 計算流程",
        "Pixel shuffle",
        "channels become pixels, every shape on the way",
        ("pixel-shuffle",),
    ),
    (
        "本次實作改良",
        "The slim variant",
        "seven changes, one after the other: counts to the last digit, costs and gains",
        ("table", "ablation"),
    ),
    (
        "L1 / L2 / Smooth L1 Loss",
        "Pixel-wise losses",
        "values and derivatives, and which answer each one wants",
        ("losses",),
    ),
    (
        "Perception Loss",
        "Perceptual loss",
        "a pair of pictures of which the worse-looking one scores better",
        ("perceptual",),
    ),
    (
        "SSIM 結構相似性指標",
        "SSIM",
        "luminance, contrast and structure, each as a map",
        ("metrics",),
    ),
    ("PSNR 峰值信噪比", "PSNR", "the formula, and what a decibel is in levels", ("metrics",)),
)


def index() -> str:
    """Write the page that lists the chapter's sections, in its order."""
    lines = [
        "# 越放大越清晰: the more you zoom, the clearer",
        "",
        "The course chapter, each idea with a number and a figure that come from this project's",
        "own code. `clearzoom explain TOPIC --out docs/explain` makes a page, and a test fails",
        "where a page without training is stale. The same as one notebook:",
        "[chapter.ipynb](../../examples/chapter.ipynb).",
        "",
        "| | section | what is shown | page |",
        "| --- | --- | --- | --- |",
    ]
    for number, (chinese, english, shown, topics) in enumerate(_SECTIONS, 1):
        links = ", ".join(f"[{topic}]({topic}.md)" for topic in topics)
        lines.append(f"| {number} | {english} · {chinese} | {shown} | {links} |")
    lines += [
        "",
        f"{' and '.join(f'`{topic}`' for topic in TRAINED)} train networks: give them "
        "`--data FOLDER`, which holds the",
        "pictures in `train/` and `val/`. `--quick` makes every training short enough to wait for.",
    ]
    return "\n".join(lines) + "\n"
