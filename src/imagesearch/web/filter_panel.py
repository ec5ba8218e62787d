"""The drawer of filters: `FilterPanel` sends what can be selected to ``static/filter_panel.js``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui.element import Element


class FilterPanel(Element, component="static/filter_panel.js"):
    """The drawer of filters.

    Parameters
    ----------
    on_change
        Is called with the fields that the user has changed, and their values.
    on_close
        Is called when the user closes the drawer.
    """

    def __init__(self, on_change: Callable[[dict[str, Any]], Any], on_close: Callable[[], Any]) -> None:
        super().__init__()
        self._props["shown"] = False
        self._props["offers"] = None
        self._props["value"] = {}
        self.on("change", lambda event: on_change(dict(event.args)))
        self.on("close", lambda: on_close())

    @property
    def is_shown(self) -> bool:
        """Whether the drawer is open."""
        return self._props["shown"]

    def focus_field(self, name: str) -> None:
        """Move the focus to the field of a condition, as soon as the drawer shows it."""
        self.run_method("focusField", name)

    def change(self, **props: Any) -> None:
        """Show other values: ``shown``, ``offers`` and ``value``."""
        for name, value in props.items():
            self._props[name] = value
        self.update()
