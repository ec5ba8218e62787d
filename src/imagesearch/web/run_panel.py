"""The button that runs the steps, and the progress of the run, the same in all browsers."""

from __future__ import annotations

import time

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from imagesearch.serving import RunState, describe_progress, format_duration
from imagesearch.text_table import format_count
from imagesearch.web.step_runs import StepRunner

_LABELS = {"running": "Stop", "stopping": "Stopping…"}
_START = "Process new photos"
_SECONDS_BEFORE_STOP = 1.0  # after the start: the second click of a double click stops nothing
_SEND_LABEL = "(event) => emit(event.currentTarget.innerText)"


class RunPanel:
    """A card with the button, the progress and the summary.

    Parameters
    ----------
    runner
        Runs the steps.
    """

    def __init__(self, runner: StepRunner) -> None:
        self._runner = runner
        self._shown: RunState | None = None
        with ui.element("section").classes("collection-card").props('aria-label="process new photos"'):
            with ui.element("div").classes("run-line"):
                self._button = TextElement(tag="button", text=_START).classes("atlas-action")
                self._button.props("type=button").on(
                    "click", lambda event: self.press(str(event.args)), js_handler=_SEND_LABEL
                )
                self._status = ui.label().classes("quiet-text").props("role=status")
            self._track = ui.element("div").classes("run-track")
            with self._track:
                self._bar = ui.element("div")
            self._lines = ui.element("ul").classes("run-lines").props('aria-live="polite"')
            self._message = ui.label().classes("run-message").props("role=alert")
        self.show(runner.state)

    def show(self, state: RunState) -> None:
        """Show the state of the run, if it has changed."""
        if state == self._shown:
            return
        self._button.text = _LABELS.get(state.outcome, _START)
        self._button.props("disabled" if state.outcome == "stopping" else "", remove="disabled")
        self._status.text = describe_state(state)
        self._track.set_visibility(state.is_active)
        self._show_bar(state)
        shown = len(self._shown.lines) if self._shown else 0
        if shown > len(state.lines) or (self._shown and self._shown.started_at != state.started_at):
            self._lines.clear()
            shown = 0
        with self._lines:
            for line in state.lines[shown:]:
                TextElement(tag="li", text=line)
        self._message.text = state.message or "; ".join(state.result.notes)
        self._message.classes(add="failed" if state.message else "", remove="" if state.message else "failed")
        self._message.set_visibility(bool(self._message.text))
        self._shown = state

    def _show_bar(self, state: RunState) -> None:
        progress = state.progress
        share = 100 * progress.done / progress.total if progress and progress.total else 0
        self._bar.style(f"width: {share:.1f}%")
        if state.is_active:
            self._track.props(
                f'role=progressbar aria-label="progress" aria-valuemin=0 aria-valuemax=100 '
                f"aria-valuenow={share:.0f}"
            )

    def press(self, label: str) -> None:
        """Start or stop a run, as the button said when it was pressed; a double click starts one."""
        state = self._runner.state
        if not label.startswith(_LABELS["running"]):
            self._runner.start()
        elif time.monotonic() - state.started_at > _SECONDS_BEFORE_STOP:
            self._runner.stop()
        self.show(self._runner.state)


def describe_state(state: RunState) -> str:
    """Return the state of a run as one line."""
    match state.outcome:
        case "":
            return "runs steps 01, 02, 04 and 05 for new and changed photos"
        case "running" | "stopping":
            stopping = "; finished work is kept" if state.outcome == "stopping" else ""
            return (describe_progress(state.progress) if state.progress else "working…") + stopping
        case "done":
            failed = (
                f"; {format_count(len(state.result.failed), 'photo')} failed" if state.result.failed else ""
            )
            return f"done in {format_duration(state.result.seconds)}{failed}"
        case "stopped":
            return "stopped; finished work is kept, and the next run continues"
    return "not done"
