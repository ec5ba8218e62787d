"""Names a person in several selected photos: their faces are shown, and those chosen get the name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from imagesearch.errors import UserError
from imagesearch.faces import PeopleEditor
from imagesearch.web.alt_texts import read_alt_texts
from imagesearch.web.decision_bar import DecisionBar
from imagesearch.web.naming import confirm_name
from imagesearch.web.people_view import find_rows, list_names, list_photo_faces, write_selector
from imagesearch.web.photo_ids import format_photo_id, parse_photo_id
from imagesearch.web.session import PhotoSession

MAX_PHOTOS = 100
"""Maximum number of photos whose faces are shown at once."""


class NamingSheet(Element, component="static/naming_sheet.js"):
    """The faces of several photos, and a field for the name. Events: ``name``, ``cancel``.

    Parameters
    ----------
    photos
        See `describe_photos`.
    names
        Known names, for completion.
    rest
        The number of further photos, which are not shown.
    """

    def __init__(self, photos: Sequence[dict[str, Any]], names: Sequence[str], rest: int) -> None:
        super().__init__()
        self._props["photos"], self._props["names"], self._props["rest"] = list(photos), list(names), rest


@dataclass(frozen=True)
class _Selection:
    """The selected photos with their faces, and the known names."""

    photos: list[dict[str, Any]]
    names: list[str]


class PhotoNaming:
    """The dialog that names a person in selected photos, and the bar that shows what this did.

    Parameters
    ----------
    session
        Stores the decision; see `PeopleDesk`.
    on_named
        Is called after a name was stored.
    """

    def __init__(self, session: PhotoSession, on_named: Callable[[], object]) -> None:
        self._session, self._desk, self._on_named = session, session.people, on_named
        self._place = ui.element("div")
        self._bar = DecisionBar(self._desk, self._ignore_change)

    async def open(self, ids: Sequence[str]) -> None:
        """Show the faces of photos, by the ids in their addresses, for a name."""
        known = [number for text in ids if (number := parse_photo_id(str(text))) is not None]
        shown = known[:MAX_PHOTOS]
        try:
            texts = await self._session.run(lambda library: read_alt_texts(library, shown))
            selection = await self._desk.read(
                lambda editor: _Selection(describe_photos(editor, shown, texts), list_names(editor))
            )
        except UserError as error:
            self._bar.show_error(str(error))
            return
        self._place.clear()
        with self._place, ui.dialog(value=True) as dialog:
            sheet = NamingSheet(selection.photos, selection.names, len(known) - len(shown))
        sheet.on("cancel", dialog.close)

        async def store(event: GenericEventArguments) -> None:
            faces = [str(face) for face in event.args["faces"]][: 2 * MAX_PHOTOS]
            if await self._store(faces, str(event.args["name"])):
                dialog.close()
                self._on_named()

        sheet.on("name", store)

    async def _store(self, faces: Sequence[str], typed: str) -> bool:
        """Store the name of faces as one decision, after the questions about it; return whether it was."""
        try:
            name = await confirm_name(self._desk, typed)
        except UserError as error:
            self._bar.show_error(str(error))
            return False
        if name is None:
            return False

        def store(editor: PeopleEditor) -> None:
            rows = find_rows(editor.people, faces)
            editor.name_faces(rows, name.check(editor), write_selector(editor.people, rows))

        return await self._bar.decide(store)

    async def _ignore_change(self) -> None:
        """Keep the photos: the next search shows the names."""


def describe_photos(
    editor: PeopleEditor, photos: Sequence[int], texts: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return photos with their texts and faces; ``chosen`` is the only face without a name, or empty.

    Photos with several such faces, of which one is to be chosen, come first, and those without faces last.
    """
    ordered: list[tuple[int, dict[str, Any]]] = []
    for photo_id in photos:
        faces = list_photo_faces(editor.people, photo_id)
        unnamed = [face["id"] for face in faces if not face["name"]]
        shown = [{key: face[key] for key in ("id", "src", "name", "label")} for face in faces]
        chosen = unnamed[0] if len(unnamed) == 1 else ""
        place = 0 if len(unnamed) > 1 else 1 if chosen else 2 if faces else 3
        photo = format_photo_id(photo_id)
        described = {"id": photo, "alt": texts.get(photo, "photo"), "faces": shown, "chosen": chosen}
        ordered.append((place, described))
    return [photo for _, photo in sorted(ordered, key=lambda pair: pair[0])]
