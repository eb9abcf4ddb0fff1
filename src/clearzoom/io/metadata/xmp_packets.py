"""XMP packets as XML trees: read without entities or network, walked by property, written as UTF-8.

XMP can say the same thing as an attribute or as an element, with or without an inner description:
here each of them is a ``Field``.
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
"""Of lxml, which brings no types."""


@dataclass(frozen=True)
class Field:
    """One property: an attribute of its holder, or an ``element`` in it; ``name`` is {URI}name."""

    holder: Element
    name: str
    element: Element | None = None

    @property
    def text(self) -> str:
        """Its value, without blanks around; empty for structures and lists."""
        if self.element is None:
            return str(self.holder.get(self.name)).strip()
        return str(self.element.text or "").strip() if len(self.element) == 0 else ""

    def say(self, text: str) -> None:
        """Replace a plain value."""
        if self.element is None:
            self.holder.set(self.name, text)
        elif len(self.element) == 0:
            self.element.text = text

    def remove(self) -> None:
        """Take it out of its holder."""
        if self.element is None:
            del self.holder.attrib[self.name]
        else:
            self.holder.remove(self.element)


def parsed(packet: bytes, *, recover: bool = False) -> Element:
    """Read a packet.

    Args:
        packet: UTF-8.
        recover: read on behind faults of the XML.

    Returns:
        The root element; what stands around it comes along.

    Raises:
        ValueError: it is no well-formed XML, has a document type, which could define endless
            entities, or holds no rdf:RDF.
    """
    packet = _DECLARATION.sub(b"", packet, count=1).rstrip(b"\0 \t\r\n")
    if b"<!DOCTYPE" in packet:
        raise ValueError("it has a document type, which XMP must not have")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        strip_cdata=False,
        huge_tree=True,  # depth maps are texts of more than 10 MB
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
    """Write a packet, without a declaration and without the room that others left in it."""
    tree = root.getroottree()
    return bytes(etree.tostring(tree, encoding="utf-8", xml_declaration=False))


def descriptions(root: Element) -> Iterator[Element]:
    """Give each rdf:Description at the top."""
    for rdf in root.iter(f"{RDF}RDF"):
        yield from rdf.findall(_DESCRIPTION)


def top_fields(root: Element, namespace: str = "") -> list[Field]:
    """List the properties of the picture itself.

    Args:
        root: from ``parsed``.
        namespace: its URI; empty for all.
    """
    found = [field for each in descriptions(root) for field in _held(each)]
    return [field for field in found if field.name.startswith(f"{{{namespace}")]


def fields_of(node: Element) -> dict[str, Field]:
    """List the fields of a structure, by {URI}name.

    Args:
        node: the element of a property or of a list's item.
    """
    found = list(_held(node))
    for inner in node.findall(_DESCRIPTION):
        found += _held(inner)
    return {field.name: field for field in found}


def items_of(node: Element) -> list[Element]:
    """List the items of a property that is a list."""
    return [item for each in node if each.tag in _LISTS for item in each]


def _held(holder: Element) -> Iterator[Field]:
    for name in list(holder.attrib):
        if name.startswith("{") and not name.startswith((RDF, _XML)):
            yield Field(holder, str(name))
    for child in holder:
        if isinstance(child.tag, str) and not child.tag.startswith(RDF):
            yield Field(holder, child.tag, child)


def number_in(field: Field | None) -> float | None:
    """Read a number, also a fraction like 300/1; None where there is none below a billion."""
    try:
        above, _, below = field.text.partition("/") if field is not None else ("", "", "")
        number = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return number if abs(number) < 1e9 else None


def whole(number: float) -> str:
    """Write a number of px, rounded half up."""
    return f"{floor(number + 0.5)}"


def share(number: float) -> str:
    """Write a share, to a millionth."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


def without_empty(root: Element) -> None:
    """Take away descriptions that say nothing, as removed properties leave them."""
    for each in list(descriptions(root)):
        if not any(True for _ in _held(each)):
            each.getparent().remove(each)
