"""The notebook: it runs from the first cell to the last, and prints what it was committed with."""

from __future__ import annotations

import base64
import io
import re
from itertools import zip_longest

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient
from nbformat import NotebookNode
from newcomer import Clone, compare_pictures, diff_output
from PIL import Image

NOTEBOOK = ROOT / "notebooks" / "01_tour.ipynb"


@pytest.fixture(scope="module")
def committed() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def executed(demo: Clone) -> NotebookNode:
    """The current notebook, run in a clone with the demo album; no cell may fail."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = demo.folder / "notebooks"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("IPYTHONDIR", str(folder / "ipython"))  # not the user's settings
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def pictures(cell: NotebookNode) -> list[Image.Image]:
    found = [output.data for output in cell.outputs if "data" in output]
    coded = [next((text for kind, text in data.items() if kind.startswith("image/")), "") for data in found]
    assert all(coded), "an output that is neither text nor a picture"
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in coded]


def test_it_is_committed_with_its_outputs_and_small(committed: NotebookNode) -> None:
    nbformat.validate(committed)
    cells = code_cells(committed)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), "run all, then save"
    assert sum(len(pictures(cell)) for cell in cells) >= 6
    assert NOTEBOOK.stat().st_size < 700_000


def test_its_outputs_have_no_local_paths_and_no_warnings(committed: NotebookNode) -> None:
    for cell in code_cells(committed):
        assert not [o for o in cell.outputs if o.get("name") == "stderr" or o.output_type == "error"]
        assert not re.search(r"(?<![\w.])/\w+/|[A-Z]:\\|it/s\]", printed(cell)), printed(cell)


def test_it_prints_what_it_was_committed_with(committed: NotebookNode, executed: NotebookNode) -> None:
    for old, new in zip_longest(code_cells(committed), code_cells(executed)):
        found = diff_output(printed(old).splitlines(), printed(new))
        pairs = list(zip_longest(pictures(old), pictures(new)))
        changed = [
            one is None or other is None or compare_pictures(one, other) >= 0.15 for one, other in pairs
        ]
        if found or any(changed):
            reason = f"{sum(changed)} of {len(pairs)} pictures differ; run all its cells and save it"
            pytest.fail(f"{NOTEBOOK.name}: {reason}\n{old.source}\n{found}", pytrace=False)
