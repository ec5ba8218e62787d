"""Components of the people pages that run in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui.element import Element


class PeopleSheet(Element, component="static/people_sheet.js"):
    """Cards of people. Events: ``rename``, ``merge``, ``more``.

    Parameters
    ----------
    cards
        See `people_view.make_card` and `people_view.make_marked_card`.
    names
        Known names, for completion.
    rest
        Number of further people, which a button loads.
    """

    def __init__(self, cards: Sequence[dict[str, Any]], names: Sequence[str], rest: int) -> None:
        super().__init__()
        self.show(cards, names, rest)

    def show(self, cards: Sequence[dict[str, Any]], names: Sequence[str], rest: int) -> None:
        """Show other people. Each field gets the name that is stored."""
        self._props["revision"] = self._props.get("revision", 0) + 1
        self._props["cards"], self._props["names"], self._props["rest"] = list(cards), list(names), rest
        self.update()


class FaceSheet(Element, component="static/face_sheet.js"):
    """The faces of one person, to select. Events: ``deny``, ``rename``, ``reject``, ``restore``.

    Parameters
    ----------
    faces
        The id, the address of the image, and the address of the photo of each face.
    names
        Known names, for completion.
    person
        The person, whom the buttons name; see `people_view.identify_person`.
    is_hidden
        Whether the faces are left out, and can be brought back.
    """

    def __init__(
        self, faces: Sequence[dict[str, str]], names: Sequence[str], person: dict[str, Any], is_hidden: bool
    ) -> None:
        super().__init__()
        self._props["faces"], self._props["names"] = list(faces), list(names)
        self._props["person"], self._props["is-hidden"] = person, is_hidden


class PhotoViewer(Element, component="static/photo_viewer.js"):
    """A large photo with boxes around its faces. Events: ``rename``, ``deny``, ``reject``.

    Parameters
    ----------
    photo
        ``src``, ``alt``, ``width``, ``height`` and ``note``; ``previous``, ``next`` and ``back``: addresses
        of other pages, or empty.
    faces
        See `people_view.list_photo_faces`.
    names
        Known names, for completion.
    """

    def __init__(self, photo: dict[str, Any], faces: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
        super().__init__()
        self._props["photo"] = photo
        self.show(faces, names)

    def show(self, faces: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
        """Show other boxes and names."""
        self._props["faces"], self._props["names"] = list(faces), list(names)
        self.update()


class PlaceMap(Element, component="static/place_map.js"):
    """A small map with points that are links.

    Parameters
    ----------
    shapes
        The lines of ``land``, ``water``, ``coasts`` and ``borders`` as paths of an SVG.
    size
        Width and height of the view.
    points
        ``x``, ``y``, ``href`` and ``label`` of each photo; the photo itself has no ``href``.
    """

    def __init__(
        self, shapes: dict[str, str], size: tuple[float, float], points: Sequence[dict[str, Any]]
    ) -> None:
        super().__init__()
        self._props["shapes"], self._props["size"], self._props["points"] = shapes, list(size), list(points)


class RemedyLink(Element, component="static/remedy_link.js"):
    """A link to the page that does what an error asks for, if there is one.

    Parameters
    ----------
    message
        The error.
    """

    def __init__(self, message: str) -> None:
        super().__init__()
        self._props["message"] = message


class CopyButton(Element, component="static/copy_button.js"):
    """A button that copies a text; where the browser refuses, the text is selected in a field.

    Parameters
    ----------
    text
        The text to copy.
    label
        What the button is called.
    """

    def __init__(self, text: str, label: str) -> None:
        super().__init__()
        self._props["text"], self._props["label"] = text, label
