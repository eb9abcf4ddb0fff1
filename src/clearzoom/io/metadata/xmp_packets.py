"""XMP packets as XML trees, read without entities or network, and written as UTF-8.

XMP can store a property as an attribute or as an element, with or without an inner rdf:Description;
a ``Field`` stands for any of these forms (XMP Specification, Part 1, 7.9).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from typing import Any

from lxml import etree

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_DESCRIPTION = f"{RDF}Description"
_LISTS = (f"{RDF}Bag", f"{RDF}Seq", f"{RDF}Alt")
_DECLARATION = re.compile(rb"^(\xef\xbb\xbf)?\s*(<\?xml\s[^>]*\?>)?\s*")

Element = Any
"""An element of lxml, which has no type stubs."""


@dataclass(frozen=True)
class Field:
    """A property: an attribute of its holder, or an ``element`` in it; ``name`` is {URI}name."""

    holder: Element
    name: str
    element: Element | None = None

    @property
    def text(self) -> str:
        """Return the value without surrounding blanks; it is empty for structures and arrays."""
        if self.element is None:
            return str(self.holder.get(self.name)).strip()
        return str(self.element.text or "").strip() if len(self.element) == 0 else ""

    def set_text(self, text: str) -> None:
        """Replace a simple value; structures and arrays stay as they are."""
        if self.element is None:
            self.holder.set(self.name, text)
        elif len(self.element) == 0:
            self.element.text = text

    def remove(self) -> None:
        """Remove the property from its holder."""
        if self.element is None:
            del self.holder.attrib[self.name]
        else:
            self.holder.remove(self.element)


def parsed(packet: bytes, *, recover: bool = False) -> Element:
    """Read a packet.

    Args:
        packet: UTF-8.
        recover: whether to read on behind errors in the XML.

    Returns:
        The root element; its tree includes the processing instructions around it.

    Raises:
        ValueError: it is no well-formed XML, has a document type (which could define entities of
            any size), or has no rdf:RDF.
    """
    packet = _DECLARATION.sub(b"", packet, count=1).rstrip(b"\0 \t\r\n")
    if b"<!DOCTYPE" in packet:
        raise ValueError("it has a document type, which XMP must not have")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        strip_cdata=False,
        huge_tree=True,  # Depth maps are texts of more than 10 MB, libxml2's default limit.
        recover=recover,
    )
    try:
        root = etree.fromstring(packet, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"it is no well-formed XML ({error.msg})") from error
    if root is None or next(root.iter(f"{RDF}RDF"), None) is None:
        raise ValueError("it is no RDF")
    return root


def packed(root: Element) -> bytes:
    """Write a packet without an XML declaration and without padding."""
    tree = root.getroottree()
    return bytes(etree.tostring(tree, encoding="utf-8", xml_declaration=False))


def descriptions(root: Element) -> Iterator[Element]:
    """List the rdf:Description elements at the top level."""
    for rdf in root.iter(f"{RDF}RDF"):
        yield from rdf.findall(_DESCRIPTION)


def top_fields(root: Element, namespace: str = "") -> list[Field]:
    """List the top-level properties, which are those of the picture.

    Args:
        root: from ``parsed``.
        namespace: the URI of their namespace, or no text for all.
    """
    found = [field for each in descriptions(root) for field in _held(each)]
    return [field for field in found if field.name.startswith(f"{{{namespace}")]


def fields_of(node: Element) -> dict[str, Field]:
    """List the fields of a structure, by {URI}name.

    Args:
        node: the element of a property, or of an item of an array.
    """
    found = list(_held(node))
    for inner in node.findall(_DESCRIPTION):
        found += _held(inner)
    return {field.name: field for field in found}


def items_of(node: Element) -> list[Element]:
    """List the items of a property that is an array."""
    return [item for each in node if each.tag in _LISTS for item in each]


def _held(holder: Element) -> Iterator[Field]:
    for name in list(holder.attrib):
        if name.startswith("{") and not name.startswith((RDF, _XML)):
            yield Field(holder, str(name))
    for child in holder:
        if isinstance(child.tag, str) and not child.tag.startswith(RDF):
            yield Field(holder, child.tag, child)


def number_in(field: Field | None) -> float | None:
    """Read a number or a fraction such as 300/1; return None if there is none below a billion."""
    try:
        above, _, below = field.text.partition("/") if field is not None else ("", "", "")
        number = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return number if abs(number) < 1e9 else None


def whole(number: float) -> str:
    """Format a number of px, rounded half up."""
    return f"{floor(number + 0.5)}"


def share(number: float) -> str:
    """Format a fraction of the picture's side with up to six decimals."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


def without_empty(root: Element) -> None:
    """Remove the rdf:Description elements that have no properties left."""
    for each in list(descriptions(root)):
        if not any(True for _ in _held(each)):
            each.getparent().remove(each)
