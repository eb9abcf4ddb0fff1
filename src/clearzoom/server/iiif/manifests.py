"""IIIF Presentation 3.0 documents: manifests of pictures and books, and collections.

References:
    https://iiif.io/api/presentation/3.0/
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from clearzoom.core.box import Box
from clearzoom.io.reading import Source
from clearzoom.server.access.services import CONTEXT as AUTH_CONTEXT
from clearzoom.server.access.services import probe_service
from clearzoom.server.access.visitors import is_open
from clearzoom.server.gallery.folders import Folder
from clearzoom.server.gallery.library import Entry
from clearzoom.server.gallery.owner_file import Marks
from clearzoom.server.iiif.identifiers import Variant, encoded
from clearzoom.server.iiif.labels import Text, label_of, summary_of
from clearzoom.server.tiles.service import Service

CONTEXT = "http://iiif.io/api/presentation/3/context.json"
_THUMBNAIL_PX = 400


@dataclass(frozen=True)
class Leaf:
    """A picture, or a page of one, as a manifest shows it.

    Attributes:
        variant: the picture or virtual picture.
        entry: the picture that it is made from.
        source: its header.
    """

    variant: Variant
    entry: Entry
    source: Source

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the variant."""
        return self.source.width_px * self.variant.scale, self.source.height_px * self.variant.scale


def leaf_like(variant: Variant, entry: Entry, source: Source) -> Leaf:
    """Make a leaf of a book: a picture as the book's variant, or as it is where that is forbidden.

    Args:
        variant: that of the whole book.
        entry: the picture.
        source: its header.
    """
    own = replace(variant, identifier=entry.identifier)
    return Leaf(own if entry.upscaling else Variant(entry.identifier), entry, source)


class Describer:
    """Writes the documents of one server.

    Args:
        service: of the server.
        root: the address at which the client reaches it, without a slash.
    """

    def __init__(self, service: Service, root: str) -> None:
        self._service, self._root = service, root
        self._presentation, self._images = f"{root}/iiif/presentation/3", f"{root}/iiif/3"
        self._model = service.settings.model

    def picture(self, whole: Leaf, leaves: Sequence[Leaf]) -> dict[str, Any]:
        """Write the manifest of a picture file.

        Args:
            whole: the file, as the request names it.
            leaves: its pages, or itself.
        """
        content = self._head(self._place(whole.variant.text), "manifest", "Manifest")
        content["label"] = self._label(whole)
        self._add_summary(content, whole.variant)
        content |= _statements(whole.entry.marks)
        if not whole.entry.is_upload:
            parent = whole.entry.path.parent.relative_to(self._service.library.folder).as_posix()
            content["partOf"] = [self._reference("" if parent == "." else parent, "Collection")]
        content |= self._thumbnail(leaves[0])
        content["items"] = [self._canvas(leaf) for leaf in leaves]
        return _with_context(content, leaves)

    def book(self, folder: Folder, variant: Variant, leaves: Sequence[Leaf]) -> dict[str, Any]:
        """Write the manifest of a folder, with a canvas for each picture in it.

        Args:
            folder: the folder.
            variant: states of which pixels the whole book is made.
            leaves: the pictures, in the book's order.
        """
        content = self._head(self._place(variant.text), "manifest", "Manifest")
        content["label"] = label_of(folder.title, None, variant, self._model)
        self._add_summary(content, variant)
        content |= _statements(folder.marks)
        if folder.marks.behavior:
            content["behavior"] = list(folder.marks.behavior)
        if folder.marks.viewing_direction is not None:
            content["viewingDirection"] = folder.marks.viewing_direction
        content["partOf"] = [self._reference(folder.identifier, "Collection")]
        content |= self._thumbnail(leaves[0])
        content["items"] = [self._canvas(leaf, folder.marks) for leaf in leaves]
        return _with_context(content, leaves)

    def collection(
        self, folder: Folder, below: Sequence[Folder], files: Sequence[Leaf]
    ) -> dict[str, Any]:
        """Write the collection of a folder: the folders in it, its book, and its pictures.

        Args:
            folder: the folder.
            below: the folders in it.
            files: its pictures, in the book's order.
        """
        content = self._head(self._place(folder.identifier), "collection", "Collection")
        content["label"] = {"none": [folder.title]}
        content |= _statements(folder.marks)
        if folder.identifier:
            outer = folder.identifier.rpartition("/")[0]
            content["partOf"] = [self._reference(outer, "Collection")]
        items = [
            self._reference(each.identifier, "Collection") | {"label": {"none": [each.title]}}
            for each in below
        ]
        is_book = bool(folder.marks.behavior or folder.marks.order)
        if is_book or len(files) > 1:
            book = self._reference(folder.identifier, "Manifest")
            label = {"none": [folder.title]} if is_book else _all_of(folder.title)
            items.append(book | {"label": label} | self._thumbnail(files[0]))
        if not is_book:
            items += [
                self._reference(file.entry.identifier, "Manifest")
                | {"label": self._label(file)}
                | self._thumbnail(file)
                for file in files
            ]
        content["items"] = items
        return content

    def _head(self, place: str, document: str, kind: str) -> dict[str, Any]:
        return {"@context": CONTEXT, "id": f"{place}/{document}", "type": kind}

    def _place(self, identifier: str) -> str:
        return f"{self._presentation}/{encoded(identifier)}" if identifier else self._presentation

    def _reference(self, identifier: str, kind: str) -> dict[str, Any]:
        return {"id": f"{self._place(identifier)}/{kind.lower()}", "type": kind}

    def _label(self, leaf: Leaf) -> Text:
        title = leaf.entry.marks.label or leaf.entry.name
        return label_of(title, leaf.entry.page, leaf.variant, self._model)

    def _add_summary(self, content: dict[str, Any], variant: Variant) -> None:
        summary = summary_of(variant, self._model)
        if summary is not None:
            content["summary"] = summary

    def _canvas(self, leaf: Leaf, outer: Marks | None = None) -> dict[str, Any]:
        """Write a canvas; one picture has the same in its own manifest and in its folder's."""
        width, height = leaf.size_px
        limits = self._service.limits(leaf.variant)
        limits = limits.of_part(Box(0, 0, width, height), leaf.variant.scale)
        share = limits.shrink(width, height)
        largest_px = (max(1, int(width * share)), max(1, int(height * share)))
        canvas = f"{self._place(leaf.variant.text)}/canvas/1"
        annotation = {
            "id": f"{canvas}/painting/1/image",
            "type": "Annotation",
            "motivation": "painting",
            "body": self._image(leaf, "max", largest_px),
            "target": canvas,
        }
        page = {"id": f"{canvas}/painting/1", "type": "AnnotationPage", "items": [annotation]}
        content: dict[str, Any] = {
            "id": canvas,
            "type": "Canvas",
            "label": self._label(leaf),
            "width": width,
            "height": height,
            "items": [page],
        }
        if outer is not None:
            known = _statements(outer)
            own = _statements(leaf.entry.marks)
            content |= {name: value for name, value in own.items() if known.get(name) != value}
            content |= self._thumbnail(leaf)
        return content

    def _thumbnail(self, leaf: Leaf) -> dict[str, Any]:
        if not is_open(leaf.entry.marks.access):  # it would be refused
            return {}
        width, height = leaf.size_px
        share = min(1.0, _THUMBNAIL_PX / max(width, height))
        small_px = (max(1, round(width * share)), max(1, round(height * share)))
        return {"thumbnail": [self._image(leaf, f"{small_px[0]},{small_px[1]}", small_px)]}

    def _image(self, leaf: Leaf, size: str, size_px: tuple[int, int]) -> dict[str, Any]:
        base = f"{self._images}/{encoded(leaf.variant.text)}"
        # A map is transparent where nothing was added, and no JPEG can say so.
        suffix, media = ("png", "image/png") if leaf.variant.fidelity else ("jpg", "image/jpeg")
        services: list[dict[str, Any]] = [
            {"id": base, "type": "ImageService3", "profile": "level2"}
        ]
        if not is_open(leaf.entry.marks.access):
            # Beside the image service, whose info.json states it too: within it, Mirador 4.0 fails.
            group = str(leaf.entry.marks.access)
            services.append(probe_service(self._root, leaf.entry.identifier, group))
        return {
            "id": f"{base}/full/{size}/0/default.{suffix}",
            "type": "Image",
            "format": media,
            "width": size_px[0],
            "height": size_px[1],
            "service": services,
        }


def _with_context(content: dict[str, Any], leaves: Sequence[Leaf]) -> dict[str, Any]:
    """Name the context of the services by which visitors log in, where there are any."""
    if all(is_open(leaf.entry.marks.access) for leaf in leaves):
        return content
    return content | {"@context": [AUTH_CONTEXT, CONTEXT]}


def _statements(marks: Marks) -> dict[str, Any]:
    """Write what an owner states, as every resource may have it."""
    content: dict[str, Any] = {}
    if marks.iiif_rights is not None:
        content["rights"] = marks.iiif_rights
    elif marks.rights is not None:
        uri = str(marks.rights)
        content["metadata"] = [{"label": {"en": ["Rights"]}, "value": {"none": [uri]}}]
    if marks.attribution:
        content["requiredStatement"] = {
            "label": {"en": ["Attribution"], "zh-Hant": ["出處"]},
            "value": {"none": [marks.attribution]},
        }
    return content


def _all_of(title: str) -> Text:
    return {"en": [f"{title}: all pictures"], "zh-Hant": [f"{title}：全部圖片"]}  # noqa: RUF001
