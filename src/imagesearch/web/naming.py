"""The questions before a name is stored: it may be a typing error, no name at all, or somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nicegui import ui

from imagesearch.errors import UserError
from imagesearch.faces import PeopleEditor, find_near_name, looks_like_command, stands_for_no_name
from imagesearch.text import normalize
from imagesearch.text_table import format_count
from imagesearch.web.people_desk import PeopleDesk
from imagesearch.web.people_view import make_changed_error


@dataclass(frozen=True)
class NameQuestion:
    """A question about a typed name.

    Attributes
    ----------
    text : str
        The question.
    choices : tuple of (str, str)
        Each answer, and the name that it stands for. The first is the most probable.
    """

    text: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ConfirmedName:
    """A name that the user means, and the question that was answered.

    Attributes
    ----------
    name : str
        The name.
    typed, replaced : str
        See `find_question`.
    question : NameQuestion or None
        The question; None if there was none to ask.
    """

    name: str
    typed: str
    replaced: str
    question: NameQuestion | None

    def check(self, editor: PeopleEditor) -> str:
        """Return the name, if the question is still the same; call it before the name is stored.

        Raises
        ------
        UserError
            If the name has become that of somebody, or of somebody else, since the question.
        """
        if find_question(editor, self.typed, self.replaced) != self.question:
            raise make_changed_error()
        return self.name


def find_question(editor: PeopleEditor, typed: str, replaced: str = "") -> NameQuestion | None:
    """Return the question to ask about a name; None if it can be stored without one.

    Parameters
    ----------
    editor
        Has the names in use.
    typed
        The name as typed.
    replaced
        The name of the person who is named, if there is one.

    Raises
    ------
    UserError
        If it cannot be a name.
    """
    if not typed.strip():
        raise UserError("type a name first")
    name = editor.check_name(typed)
    if normalize(name) == normalize(replaced):
        return None
    if editor.is_in_use(name):
        known = next(one for one in editor.names if normalize(one) == normalize(name))
        return NameQuestion(_describe_merge(editor, known, replaced), ((f"Yes, this is {known}", known),))
    if stands_for_no_name(name) or looks_like_command(name):
        return NameQuestion(f"“{name}” does not look like a name. Is it one?", (("Use it as a name", name),))
    near = find_near_name(name, [one for one in editor.names if one != replaced])
    if near:
        return NameQuestion(
            f"Did you mean {near}?", ((f"Yes, {near}", near), (f"No, {name} is another name", name))
        )
    return None


async def confirm_name(desk: PeopleDesk, typed: str, replaced: str = "") -> ConfirmedName | None:
    """Return the name that the user means, after a question if there is one; None if the user cancels.

    Raises
    ------
    UserError
        If it cannot be a name.
    """
    question = await desk.read(lambda editor: find_question(editor, typed, replaced))
    name: str | None = typed
    if question is not None:
        answer = await ask(question.text, [label for label, _ in question.choices])
        name = dict(question.choices).get(answer or "")
    return None if name is None else ConfirmedName(name, typed, replaced, question)


async def ask(text: str, choices: Sequence[str]) -> str | None:
    """Ask a question in a dialog; return the chosen answer, or None if the user cancels."""
    with ui.dialog() as dialog, ui.element("div").classes("question").props('role="alertdialog"'):
        ui.label(text).classes("question-text").props('dir="auto"')
        with ui.element("div").classes("question-buttons"):
            for index, choice in enumerate(choices):
                look = "button is-primary" if index == 0 else "button"
                button = (
                    ui.element("button").classes(look).props(f'type="button"{" autofocus" * (not index)}')
                )
                with button:
                    ui.label(choice)
                button.on("click", lambda choice=choice: dialog.submit(choice))
            cancel = ui.element("button").classes("button").props('type="button"')
            with cancel:
                ui.label("Cancel")
            cancel.on("click", lambda: dialog.submit(None))
    answer: str | None = await dialog
    dialog.delete()
    return answer


def _describe_merge(editor: PeopleEditor, known: str, replaced: str) -> str:
    people = editor.people
    person = next((one for one in people.persons if normalize(one.name) == normalize(known)), None)
    photos = f" ({format_count(people.count_photos(person), 'photo')})" if person else ""
    if replaced:
        return f"{known}{photos} has this name already. Are {replaced} and {known} the same person?"
    return f"{known}{photos} has this name already. Is this the same person?"
