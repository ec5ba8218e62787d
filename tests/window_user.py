"""A simulated user: opens windows of 06, 03 and 07 and a tall one, and sends clicks and keys to each.

``test_viewer.py`` runs it in a separate process. Arguments: a config, a folder for screenshots and the log,
and the steps for each window as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt
from albums import make_people
from PIL import Image, ImageGrab

from imagesearch.config import load_config
from imagesearch.features import Classification
from imagesearch.figures import (
    Tile,
    draw_contact_sheet,
    show_answer,
    show_classifications,
    show_figure,
    show_people,
)
from imagesearch.pipeline import Dataset
from imagesearch.query import ParsedQuery
from imagesearch.search import Answer, Query, SearchResult

dataset, out = Dataset(load_config(Path(sys.argv[1]))), Path(sys.argv[2])
plan: dict[str, list] = json.loads(sys.argv[3])
log: dict[str, dict] = {}
wait_until_closed = plt.show
steps: list = []


def wait_and_act() -> None:
    figure = plt.gcf()
    window, canvas = figure.canvas.manager.window, figure.canvas.get_tk_widget()

    def run_step() -> None:
        kind, value = steps.pop(0)
        if kind == "click":
            pictures = figure.axes[0].images  # a contact sheet has all of them in one pair of axes
            picture = pictures[value] if len(pictures) > 1 else figure.axes[value]
            box = picture.get_window_extent()
            x, y = (box.x0 + box.x1) / 2, canvas.winfo_height() - (box.y0 + box.y1) / 2
            canvas.event_generate("<Button-1>", x=round(x), y=round(y))
        elif kind == "key":
            canvas.focus_force()
            canvas.event_generate(f"<{value}>")
        elif kind == "remove":
            dataset.locate_file(value).unlink()
        elif kind == "capture":
            window.update()
            ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).save(out / f"{value}.png")
            texts = [t.get_text() for a in (*figure.axes, figure) for t in a.texts]
            size = window.winfo_rootx() + window.winfo_width(), window.winfo_rooty() + window.winfo_height()
            log[value] = {"title": window.title(), "texts": texts, "size": size}
        if steps:
            window.after(200, run_step)

    window.after(500, run_step)
    wait_until_closed()


def open_06() -> None:
    details = {"people": ("Maya",), "address": "Anjuna, Goa, India", "taken_at": "2025-08-02T18:02:11"}
    details |= {"class_label": "beach", "class_score": 0.9, "calibrated_score": 0.8}
    paths = [f"{i:02d}.png" for i in range(45)]
    results = [
        SearchResult(i + 1, path, 0.5, dataset.locate_file(path), **details) for i, path in enumerate(paths)
    ]
    answer = Answer(Query(text="maya on the beach"), ParsedQuery(), results, photos=45)
    show_answer(answer, dataset, None, window=True)


def open_03() -> None:
    show_people(make_people(["44.png"]), dataset, 1, None, window=True)


def open_07() -> None:
    classes = (("beach", 0.75), ("sea", 0.25))
    results = [Classification(dataset.locate_file(f"{i:02d}.png"), classes) for i in range(5)]
    show_classifications(results, 200, None, window=True)


def open_tall() -> None:
    rows = [(f"person {i}", [Tile(Image.new("RGB", (30, 30)), f"{i}.1")]) for i in range(12)]
    show_figure(draw_contact_sheet(rows), "tall", window=True)


plt.show = wait_and_act
for name, open_window in {"06": open_06, "03": open_03, "07": open_07, "tall": open_tall}.items():
    steps[:] = plan[name]
    open_window()
(out / "log.json").write_text(json.dumps(log))
