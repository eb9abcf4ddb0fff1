"""IPTC records (IIM): what of them shows the picture as it was.

References:
    IPTC-NAA Information Interchange Model 4.2, 1.6 (data sets) and 2:200 to 2:202 (previews).
"""

_PREVIEWS = tuple((2, number) for number in (200, 201, 202))


def without_previews(iptc: bytes) -> bytes:
    """Take out small pictures of the picture.

    Args:
        iptc: data sets, one after another.

    Returns:
        The same, but for them; what is no data set stays as it is.
    """
    kept, at = b"", 0
    while at + 5 <= len(iptc) and iptc[at] == 0x1C:
        size, begins = int.from_bytes(iptc[at + 3 : at + 5]), at + 5
        if size & 0x8000:  # then it is the length of the length
            begins += size & 0x7FFF
            size = int.from_bytes(iptc[at + 5 : begins])
        end = begins + size
        if end > len(iptc):
            break
        if (iptc[at + 1], iptc[at + 2]) not in _PREVIEWS:
            kept += iptc[at:end]
        at = end
    return kept + iptc[at:]
