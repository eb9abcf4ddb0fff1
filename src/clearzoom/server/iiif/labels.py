"""What a picture or virtual picture is called in descriptions: its title, and what it shows."""

from clearzoom.server.iiif.identifiers import BICUBIC, Variant

Text = dict[str, list[str]]
"""Text by language, as IIIF states it; the language ``none`` is whatever the owner writes."""


def label_of(title: str, page: int | None, variant: Variant, model: str) -> Text:
    """Name a picture or a book: its title, its page, and what a virtual one shows.

    Args:
        title: the owner's, or a file's or folder's name.
        page: the page of a file with several, from 1, or None.
        variant: the picture, or the virtual picture.
        model: the server's model, which holds where the variant names none.

    Example:
        >>> label_of("A cat", 2, Variant("cat.tif~p2", 4), "photo")["en"]
        ['A cat, page 2 (×4, inferred by photo)']
    """
    if page is None and variant.scale == 1:
        return {"none": [title]}
    english, chinese = title, title
    if page is not None:
        english += f", page {page}"
        chinese += f"，第 {page} 頁"
    if variant.scale > 1:
        english += f" ({_kind_in_english(variant, model)})"
        chinese += f"（{_kind_in_chinese(variant, model)}）"
    return {"en": [english], "zh-Hant": [chinese]}


def summary_of(variant: Variant, model: str) -> Text | None:
    """Say of which pixels a virtual picture is made; None for a picture itself.

    Args:
        variant: the picture, or the virtual picture.
        model: the server's model, which holds where the variant names none.
    """
    model = variant.model or model
    if variant.scale == 1:
        return None
    if variant.fidelity:
        return {
            "en": [
                f"What {model} added to plain interpolation: transparent where nothing, "
                "yellow where little, deep pink where it is 24 levels of 255 or more."
            ],
            "zh-Hant": [
                f"與單純內插相比，{model} 補上的部分：透明處沒有差異，黃色處差異小，"
                "深粉紅處差異達 255 階中的 24 階以上。"
            ],
        }
    if model == BICUBIC:
        return {
            "en": ["What is finer than the scanned pixels is interpolated; nothing is inferred."],
            "zh-Hant": ["比原始像素更細的部分由內插而得，沒有推論。"],
        }
    return {
        "en": [f"Detail finer than the scanned pixels is inferred by clearzoom ({model})."],
        "zh-Hant": [f"比原始像素更細的部分由 clearzoom（{model}）推論而得。"],
    }


def _kind_in_english(variant: Variant, model: str) -> str:
    model = variant.model or model
    details = _details(variant, "strength", "denoise")
    if variant.fidelity:
        return f"what {model}{details} added at ×{variant.scale}"
    if model == BICUBIC:
        return f"×{variant.scale}, interpolated"
    return f"×{variant.scale}, inferred by {model}{details}"


def _kind_in_chinese(variant: Variant, model: str) -> str:
    model = variant.model or model
    details = _details(variant, "強度", "去噪")
    if variant.fidelity:
        return f"{variant.scale} 倍時 {model}{details} 補上的部分"
    if model == BICUBIC:
        return f"{variant.scale} 倍，內插"
    return f"{variant.scale} 倍，由 {model}{details} 推論"


def _details(variant: Variant, strength: str, denoise: str) -> str:
    stated = [f" {strength} {variant.strength:g}"] if variant.strength != 1.0 else []
    stated += [f" {denoise} {variant.denoise:g}"] if variant.denoise is not None else []
    return "".join(stated)
