"""The house: imports go down only, one module for each engine, lazily; pins agree; --help answers at once."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from packaging.specifiers import SpecifierSet

SOURCE = ROOT / "src" / "imagesearch"
# Ground first; a module imports only from floors below its own.
FLOORS = [
    {"errors", "services"},
    {"config", "words", "chain", "relevance", "everyday"} | {"tabular", "metrics", "csvfile", "look"},
    {"photos", "tables", "models", "indexes", "filters", "clustering", "sphere", "packets", "tokens"}
    | {"placenames", "transport"},
    {"previews", "encoders", "schema", "faces", "connection", "exif", "address", "vocabulary"}
    | {"periods", "reading"},
    {"catalogue", "dates", "names", "plan", "geocoders", "redating", "chains"},
    {"store", "steps", "geo", "criteria", "scan", "rewording"},
    {"dataset", "sentence"},
    {"calibration"},
    {"features", "detection", "whereabouts"},
    {"anchors"},
    {"decisions", "clusters"},
    {"replay"},
    {"people"},
    {"naming", "content"},
    {"names_csv"},
    {"build"},
    {"query", "ranking", "classify"},
    {"vectors", "by_face", "follow"},
    {"answers", "trials"},
    {"search", "recommendation"},
    {"scratch"},
    {"evaluate", "itself", "captioned", "tuning"},
    {"screen"},
    {"visualize"},
    {"maps", "charts", "curves", "atlas", "window"},
    {"output", "cli"},
]
# The demo stands on top of what it draws and trains for. Its training rooms define networks, so that torch is
# at home there; they are imported by nothing but each other and their script.
DEMO = sorted((SOURCE / "demo").glob("*.py"))
TRAINING = {"train", "train_clip", "train_vit", "train_detector", "train_recogniser"}
DEMO_ENGINES = {"pillow_heif": {"album"}, "insightface": {"evaluate"}}
ENGINES = {
    "pydantic": {"config"},
    "yaml": {"config"},
    "pillow_heif": {"photos"},
    "rawpy": {"photos"},
    "torch": {"encoders"},
    "transformers": {"encoders"},
    "huggingface_hub": {"models"},
    "pymilvus": {"connection"},
    "milvus_lite": {"connection"},
    "matplotlib": {"screen", "visualize", "output", "maps", "charts", "curves", "atlas", "window"},
    "geopy": {"geocoders", "transport"},
    "reverse_geocode": {"geo"},
    "insightface": {"faces"},
    "onnxruntime": {"faces"},
    "dateutil": {"periods"},
    "rank_bm25": {"names"},
}
# Who hands written filters to Milvus; how they are written is in filters.py alone.
FILTERING = {"catalogue", "store", "connection"}
# The floor everything stands on: needed for any answer at all, or quick to import.
AT_THE_TOP = {"pydantic", "yaml"}
# Modules that are imported lazily themselves, because they derive from what their engine has.
LAZY = {"transport"}
MODULES = sorted(SOURCE.glob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").rglob("*.py"))


def imports(file: Path) -> list[tuple[str, bool]]:
    """Imported modules, and whether at the top of the file (type checking aside)."""
    tree = ast.parse(file.read_text("utf-8"))
    found = []
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found += [(name, node in tree.body) for name in names]
    return found


def floor_of(module: str) -> int:
    return next(i for i, floor in enumerate(FLOORS) if module in floor)


@pytest.mark.parametrize("file", [file for file in MODULES if file.stem != "__init__"], ids=lambda f: f.stem)
def test_imports_go_down_only(file: Path) -> None:
    own = [name.split(".")[1] for name, _ in imports(file) if name.startswith("imagesearch.")]
    above = [module for module in own if floor_of(module) >= floor_of(file.stem)]
    assert not above, f"{file.stem} imports {above} from its own floor or a higher one"


def test_nothing_stands_on_the_demo_and_only_training_defines_networks() -> None:
    for file in MODULES:
        assert not [name for name, _ in imports(file) if name.startswith("imagesearch.demo")], file
    for file in DEMO:
        names = {name for name, _ in imports(file)}
        if file.stem not in TRAINING:
            assert not {name for name in names if name.split(".")[0] in ("torch", "transformers")}, file
            lazily = [name for name, top in imports(file) if top and name.split(".")[2:3] == ["train"]]
            assert not lazily, f"{file.stem} loads torch with {lazily}"
        for engine, homes in DEMO_ENGINES.items():
            assert file.stem in homes or engine not in {name.split(".")[0] for name in names}


def test_every_module_has_a_floor() -> None:
    assert {file.stem for file in MODULES} - {"__init__"} == set().union(*FLOORS)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_is_imported_in_one_module_and_lazily(engine: str) -> None:
    for file in MODULES:
        uses = [top for name, top in imports(file) if name.split(".")[0] == engine]
        if file.stem in ENGINES[engine]:
            type_checking = engine in ("torch", "matplotlib")
            assert uses, f"{engine} is not used in {file.stem} any more"
            assert engine in AT_THE_TOP or type_checking or file.stem in LAZY or not any(uses)
        else:
            assert not uses, f"{file.stem} imports {engine}, which belongs to {ENGINES[engine]}"


def test_lazy_modules_are_imported_lazily() -> None:
    for file in MODULES:
        assert (
            not {name.split(".")[1] for name, top in imports(file) if top and "imagesearch." in name} & LAZY
        )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda f: f.stem)
def test_scripts_import_only_the_package_and_the_standard_library(script: Path) -> None:
    for name, _ in imports(script):
        top = name.split(".")[0]
        assert top == "imagesearch" or top in sys.stdlib_module_names
        assert name != "sys.path"
    assert "sys.path" not in script.read_text("utf-8")


@pytest.mark.parametrize(
    "module", ["cli", "config", "search", "build", "features", "classify", "output", "sentence"]
)
def test_no_engine_is_loaded_by_an_import(module: str) -> None:
    heavy = sorted(set(ENGINES) - AT_THE_TOP)
    code = f"import sys, imagesearch.{module}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_filters_are_written_in_one_place() -> None:
    for file in MODULES:
        calls = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
        filtering = [call.lineno for call in calls if any(k.arg in ("filter", "expr") for k in call.keywords)]
        assert file.stem in FILTERING or not filtering, f"{file.name}: filters in lines {filtering}"


@pytest.mark.parametrize("script", [s for s in SCRIPTS if s.parent.name == "scripts"], ids=lambda f: f.stem)
def test_help_answers_at_once(script: Path) -> None:
    def once() -> float:
        start = time.perf_counter()
        done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True)
        assert "--config" in done.stdout and "--set" in done.stdout
        return time.perf_counter() - start

    def bare() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import argparse"], check=True)
        return time.perf_counter() - start

    # 0.3 s on an idle machine; on a busy one, as many times slower as Python's own start is
    slowness = max(1.0, statistics.median(bare() for _ in range(3)) / 0.03)
    assert statistics.median(once() for _ in range(3)) < 0.3 * slowness


def test_conda_and_pip_install_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    (pip,) = (item["pip"] for item in conda["dependencies"] if isinstance(item, dict))
    assert sorted(pip) == sorted(["-e .", *project["dependencies"]])
    python, tool = (item for item in conda["dependencies"] if isinstance(item, str))
    name, _, version = python.partition("=")
    assert (name, tool) == ("python", "pip") and version in SpecifierSet(project["requires-python"])
    assert conda["name"] == project["name"] and conda["channels"] == ["conda-forge"]


def test_every_pin_is_exact_and_the_same_in_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pins = set(project["dependencies"]).union(*project["optional-dependencies"].values())
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    assert len(pins) == len({pin.partition("==")[0] for pin in pins})


def test_what_texts_say_of_the_installation_is_true() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    texts = [(ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md", "environment.yml")]
    texts.append((ROOT / "notebooks" / "01_tour.ipynb").read_text("utf-8"))
    extras = set(re.findall(r"\.\[([\w,]+)\]", "".join(texts)))
    assert {"raw", "notebook"} <= extras
    assert {e for extra in extras for e in extra.split(",")} <= set(project["optional-dependencies"])
    lowest, highest = re.search(r"Python (3\.\d+) to (3\.\d+)", texts[0]).groups()
    allowed = [
        f"3.{minor}" for minor in range(30) if f"3.{minor}" in SpecifierSet(project["requires-python"])
    ]
    assert (lowest, highest) == (allowed[0], allowed[-1])


def test_every_dependency_has_a_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    readme = (ROOT / "README.md").read_text("utf-8")
    for pin in project["dependencies"]:
        assert f"| {pin.split('==')[0]} |" in readme, f"{pin} has no reason in README's table"
