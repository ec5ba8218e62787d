"""What the contracts in pyproject.toml cannot say of the house: lazy imports, sizes, pins, texts."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from packaging.specifiers import SpecifierSet

SOURCES = {
    ".".join(file.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted((ROOT / "src").rglob("*.py"))
}
SCRIPTS = sorted((ROOT / "scripts").rglob("*.py"))
# Third-party libraries that take long to import, or that only one room needs.
ENGINES = {
    *("dateutil", "geopy", "grpc", "holidays", "huggingface_hub", "insightface", "matplotlib", "milvus_lite"),
    *(
        "onnx",
        "onnxruntime",
        "openvino",
        "pillow_heif",
        "pymilvus",
        "rank_bm25",
        "rawpy",
        "reverse_geocode",
        "safetensors",
        "shapely",
    ),
    *("sklearn", "tokenizers", "torch", "transformers", "watchfiles"),
    *("fastapi", "nicegui", "starlette", "uvicorn"),
    *("flask", "flask_ml", "waitress", "werkzeug"),
    *("httpcore", "httpx"),
    *("botocore", "fsspec", "ray", "s3fs"),
}
# Imported inside functions themselves: all of their code uses an engine, or their classes derive from it.
LAZY_MODULES = {"imagesearch.geo.http"} | {
    name for name in SOURCES if name.startswith("imagesearch.web.") and name != "imagesearch.web.server"
}
LAZY_MODULES |= {f"imagesearch.api.{name}" for name in ("app", "body_checks", "forms", "results", "run")}
LAZY_MODULES |= {f"imagesearch.downloads.{name}" for name in ("fetch", "scheduler", "transport")}
LAZY_MODULES |= {
    f"imagesearch_demo.training.{name}"
    for name in ("train", "train_clip", "train_detector", "train_recogniser", "train_vit")
}
MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 400


def parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def list_imports(tree: ast.AST, in_functions: bool = True) -> Iterator[str]:
    """Yield the full names of what is imported; without functions, what importing the module imports."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        is_type_checking = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if in_functions or not (is_function or is_type_checking):
            yield from list_imports(node, in_functions)


def get_package(name: str) -> str:
    return name.partition(".")[0]


def run_python(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_engines_are_imported_inside_functions() -> None:
    assert set(SOURCES) >= LAZY_MODULES
    for module in set(SOURCES) - LAZY_MODULES:
        imported = {get_package(name) for name in list_imports(parse(SOURCES[module]), in_functions=False)}
        assert sorted(ENGINES & imported) == [], module


def test_importing_any_module_loads_no_engine() -> None:
    modules = [module for module in SOURCES if module not in LAZY_MODULES]
    code = f"import sys, importlib; [importlib.import_module(m) for m in {modules!r}]; print(*sys.modules)"
    assert sorted(ENGINES & set(run_python(code).split())) == []


# What a package is called where pip knows it by another name.
DISTRIBUTIONS = {"PIL": "pillow", "dateutil": "python_dateutil", "grpc": "grpcio", "sklearn": "scikit_learn"}
DISTRIBUTIONS |= {"cv2": "opencv_python", "yaml": "pyyaml"}


def test_every_imported_package_is_a_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    used = ("api", "raw", "scale", "train", "web")
    pins = [*project["dependencies"], *(pin for extra in used for pin in extras[extra])]
    declared = {pin.split("==")[0].lower().replace("-", "_") for pin in pins}
    imported = {get_package(name) for file in SOURCES.values() for name in list_imports(parse(file))}
    imported -= {"imagesearch", "imagesearch_demo", *sys.stdlib_module_names}
    missing = {name for name in imported if DISTRIBUTIONS.get(name, name).lower() not in declared}
    assert not missing, "not among the dependencies of pyproject.toml"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.stem)
def test_scripts_import_only_rooms_and_the_standard_library(script: Path) -> None:
    for name in list_imports(parse(script)):
        if get_package(name) in ("imagesearch", "imagesearch_demo"):
            # package.room.name at most; only the training room is entered by module, its package has no torch
            assert name.count(".") <= 2 or name.startswith("imagesearch_demo.training."), name
        else:
            assert get_package(name) in sys.stdlib_module_names, name
    assert "sys.path" not in script.read_text("utf-8")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.stem)
def test_help_loads_no_third_party_package(script: Path) -> None:
    code = """if True:
        import runpy, sys
        before = set(sys.modules)
        sys.argv = sys.argv[1:]
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit:
            print("loaded:", *(set(sys.modules) - before))
    """
    said, _, loaded = run_python(code, str(script), "--help").partition("loaded:")
    assert said.startswith("usage:")
    if script.parent.name == "scripts":
        assert "--config" in said and "--set" in said
    known = sys.stdlib_module_names | {"imagesearch", "imagesearch_demo"}
    assert sorted({get_package(name) for name in loaded.split()} - known) == []


def test_functions_and_files_are_short() -> None:
    too_long = []
    for folder in ("src", "scripts", "benchmarks"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            text, place = file.read_text("utf-8"), file.relative_to(ROOT)
            if (lines := len(text.splitlines())) > MAX_FILE_LINES:
                too_long.append(f"{place}: {lines} lines")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    lines = node.end_lineno - node.lineno + 1
                    if lines > MAX_FUNCTION_LINES:
                        too_long.append(f"{place}:{node.lineno}: {node.name}: {lines} lines")
    assert not too_long, "\n".join(too_long)


def test_filters_are_given_to_milvus_in_one_room() -> None:
    for module, file in SOURCES.items():
        calls = [node for node in ast.walk(parse(file)) if isinstance(node, ast.Call)]
        filtering = [call.lineno for call in calls if any(k.arg in ("filter", "expr") for k in call.keywords)]
        assert module.startswith("imagesearch.store.") or not filtering, f"{module}: lines {filtering}"


def test_contributing_names_the_rooms_in_order_and_files_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE)
    order, *_ = load_pyproject()["tool"]["importlinter"]["contracts"]
    rooms = [room for layer in reversed(order["layers"]) for room in re.findall(r"\w+", layer)]
    folders = [room for room in rooms if (ROOT / "src" / "imagesearch" / room).is_dir()]
    assert rows == folders
    for name in re.findall(rf"`((?:{'|'.join(rows)})/\w+\.py)`", text):
        assert (ROOT / "src" / "imagesearch" / name).is_file(), name


def load_pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def load_project() -> dict:
    return load_pyproject()["project"]


def test_conda_installs_the_package_and_pins_nothing_itself() -> None:
    project = load_project()
    conda = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    python, tool, pip = conda["dependencies"]
    assert pip == {"pip": ["-e ."]}
    name, _, version = python.partition("=")
    assert (name, tool) == ("python", "pip") and version in SpecifierSet(project["requires-python"])
    assert conda["name"] == project["name"] and conda["channels"] == ["conda-forge"]


def test_every_pin_is_exact_and_the_same_in_every_extra() -> None:
    project = load_project()
    pins = set(project["dependencies"]).union(*project["optional-dependencies"].values())
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    assert len(pins) == len({pin.partition("==")[0] for pin in pins})


def test_what_texts_say_of_the_installation_is_true() -> None:
    project = load_project()
    names = ("README.md", "CONTRIBUTING.md", "environment.yml", "notebooks/01_tour.ipynb")
    files = [*(ROOT / name for name in names), *sorted((ROOT / "docs").glob("*.md"))]
    texts = "".join(file.read_text("utf-8") for file in files)
    extras = set(re.findall(r"\.\[([\w,]+)\]", texts))
    assert {"raw", "notebook"} <= extras
    assert {e for extra in extras for e in extra.split(",")} <= set(project["optional-dependencies"])
    allowed = [
        f"3.{minor}" for minor in range(30) if f"3.{minor}" in SpecifierSet(project["requires-python"])
    ]
    assert set(re.findall(r"Python (3\.\d+) to (3\.\d+)", texts)) == {(allowed[0], allowed[-1])}


def test_every_dependency_has_a_reason_in_pyproject_and_in_the_documentation() -> None:
    project, text = load_project(), (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    commented = [
        match.groups() for line in lines if (match := re.match(r' +"([\w-]+)==[^"]+",  # (.+)', line))
    ]
    explained = re.findall(r"^\| (\w[\w-]*) \| (.+) \|$", text, re.MULTILINE)
    pins = [
        *project["dependencies"],
        *(pin for pins in project["optional-dependencies"].values() for pin in pins),
    ]
    assert [name for name, _ in commented] == [pin.split("==")[0] for pin in pins], "a reason is missing"
    assert explained == [("package", "why"), *commented], "docs/dependencies.md has other reasons"
