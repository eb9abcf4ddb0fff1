"""Words of other programs that enlarge pictures, and what says the same here."""

import re

_DENOISE = "write --denoise 0.5, or another number from 0 to 1"
_SCALE = "write --scale 4"
_IN = "write the picture without an option: clearzoom enlarge in.png -o out.png"
_SIZE = "write --width 3000 --height 4000 for px, or --print 60x70cm@300dpi for paper"
_DPI = "write --print A3@300dpi or --print 60x70cm@300dpi, since dots per inch need a paper"
_WRAP = "write --wrap both"
_PART = "write --preview x,y,width,height"
_MODEL = "write --model photo-crisp, or another that 'clearzoom models' lists"
_GPU = "write --device cuda, or another that 'clearzoom doctor' lists"
_FORMAT = "write --format png"
_OUT = "write -o out.png"
_INTO = "write -o large/ with / at the end"
_REPLACE = "leave it out: a result that -o names replaces an older file"
_BEST = "leave it out: all cores are used"

_OPTIONS = {
    **dict.fromkeys(
        ("-n", "--noise", "--noise-level", "--denoise-level", "--denoise-strength"), _DENOISE
    ),
    **dict.fromkeys(
        (
            "-s",
            "--factor",
            "--outscale",
            "--ratio",
            "--scale-ratio",
            "--scale-factor",
            "--times",
            "--upscale",
            "--zoom",
        ),
        _SCALE,
    ),
    **dict.fromkeys(("-i", "--in", "--input", "--input-path"), _IN),
    **dict.fromkeys(("--size", "--resize", "--resolution"), _SIZE),
    **dict.fromkeys(("--dpi", "--ppi", "--paper"), _DPI),
    **dict.fromkeys(("--tileable", "--seamless", "--texture"), _WRAP),
    **dict.fromkeys(("--crop", "--region", "--part"), _PART),
    **dict.fromkeys(("-m", "--model-name", "--model-path"), _MODEL),
    **dict.fromkeys(("-g", "--gpu", "--gpu-id", "--cuda"), _GPU),
    **dict.fromkeys(("-f", "--ext", "--output-format", "--type"), _FORMAT),
    **dict.fromkeys(("--out", "--outfile", "--output-path"), _OUT),
    **dict.fromkeys(("--output-dir", "--outdir"), _INTO),
    **dict.fromkeys(("-y", "--force", "--overwrite"), _REPLACE),
    **dict.fromkeys(("-j", "--threads"), _BEST),
    **dict.fromkeys(("-x", "--tta", "--tta-mode"), "write --ensemble"),
    **dict.fromkeys(("--nearest", "--pixel"), "write --pixel-art"),
    **dict.fromkeys(("--fp16", "--half"), "write --precision fp16"),
    "--dry-run": "'clearzoom plan' with the same options shows what would be done",
    "--face-enhance": "leave it out: faces are enlarged as all else",
    "--filesize": "write --max-bytes 2MB",
    "--lossless": "write --quality 100 for WebP, or leave it out for PNG and TIFF",
    "--max-size": "write --max-bytes 2MB for the file, or --long-edge 3000 for px",
    "--panorama": "write --wrap x",
    "--sharpen": "write --model photo-crisp",
    "--tile": "write --wrap both for a texture that tiles; else leave it out: tiles need no size",
}
"""What to do instead of an option of another program."""

_COMMANDS = {
    "help": "-h",
    "version": "--version",
    **dict.fromkeys(("convert", "resize", "run", "scale", "upscale", "upsize", "zoom"), "enlarge"),
    "info": "plan",
    "preview": "enlarge PICTURE --preview x,y,width,height",
    "print": "enlarge PICTURE --print A3@300dpi",
    **dict.fromkeys(("gui", "show", "view", "web"), "serve FOLDER"),
    **dict.fromkeys(("defaults", "settings"), "config"),
    "list": "models",
}
_CONFIG = {
    **dict.fromkeys(("show", "list", "ls", "view", "print"), "config"),
    **dict.fromkeys(("add", "put"), "config set"),
    **dict.fromkeys(("remove", "delete", "rm", "reset", "clear"), "config unset"),
}


def option_hint(name: str, options: set[str]) -> str:
    """Name what says the same as an option of another program, as the end of a message.

    Args:
        name: the option that is unknown here.
        options: those of the command; for one that enlarges nothing there is no hint.

    Example:
        >>> option_hint("--noise_level", {"--scale"})
        '; write --denoise 0.5, or another number from 0 to 1'
        >>> option_hint("--noise", {"--steps"}), option_hint("--xyz", {"--scale"})
        ('', '')
    """
    instead = _OPTIONS.get(name.replace("_", "-").lower()) if "--scale" in options else None
    return f"; {instead}" if instead else ""


def command_hint(name: str, group: str | None) -> str:
    """Name the command that does what a word of another program asks for.

    Args:
        name: the command that is unknown here.
        group: the command that it is below, such as ``config``; None for ``clearzoom`` itself.

    Example:
        >>> command_hint("upscale", None), command_hint("list", "config")
        (' Write: clearzoom enlarge', ' Write: clearzoom config')
        >>> command_hint("xyz", None), command_hint("list", "weights")
        ('', '')
    """
    known = {None: _COMMANDS, "config": _CONFIG}.get(group, {})
    words = known.get(name.lower())
    return f" Write: clearzoom {words}" if words else ""


def number_fault(text: str, *, whole: bool) -> str:
    """Say that a text is no number, and which number it seems to mean.

    Args:
        text: as a person wrote it.
        whole: whether the number is a whole one.

    Example:
        >>> number_fault("4x", whole=False), number_fault("400 %", whole=False)
        ("'4x' is no number; write 4", "'400 %' is no number; write 4")
        >>> number_fault("2,5", whole=False), number_fault("much", whole=True)
        ("'2,5' is no number; write 2.5", "'much' is no whole number")
    """
    fault = f"{text!r:.40} is no {'whole ' if whole else ''}number"
    found = re.fullmatch(r"\D{0,3}?(\d{1,9}(?:[.,]\d{1,9})?)\s*([^\d\s]{0,6})", text.strip())
    if found is None:
        return fault
    number = float(found[1].replace(",", ".")) / (100 if found[2] == "%" else 1)
    if whole and not number.is_integer():
        return fault
    return f"{fault}; write {number:g}" if number < 1e6 else fault
