"""EXIF, XMP, IPTC, texts and the other metadata in picture files."""
