"""Reading a config file: YAML, duplicate keys, and the options --set and -n, which override the file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import yaml
from config_files import SECRET, SHIPPED, WriteConfig, list_keys, read_message, write_config

from imagesearch.config import load_config


@pytest.fixture
def write(tmp_path: Path) -> WriteConfig:
    """Writes a config file and returns its path."""
    return partial(write_config, tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- search\n- models\n", "expected sections such as 'dataset:' at the top level, got a list"),
        ("just words", "expected sections such as 'dataset:' at the top level, got a single value"),
        ("search: [1", "not valid YAML"),
        ("search:\n\ttop_k: 3", "not valid YAML"),
        ("? [a]\n: b", "not valid YAML"),
        ("dataset: {name: 2001-99-99}", "not valid YAML"),
        ("dataset: !!python/object:os.system {}", "not valid YAML"),
        ("[" * 5000, "not valid YAML"),
        ("search: 5", "search: expected a section of settings, got 5"),
        ("1: 2", "1: expected a string as the key, got 1"),
        ("search: {1: 2}", "search.1: expected a string as the key, got 1"),
    ],
)
def test_a_file_that_is_not_a_config_is_refused(write: WriteConfig, text: str, problem: str) -> None:
    assert problem in read_message(write(text))


def test_a_duplicate_key_is_refused(write: WriteConfig) -> None:
    assert "duplicate key 'search' (line 3" in read_message(
        write("search: {top_k: 3}\nmodels: {}\nsearch: {min_score: 0.2}")
    )
    assert "duplicate key 'top_k'" in read_message(write("search:\n  top_k: 3\n  top_k: 4"))


def test_a_missing_file_a_folder_and_a_file_not_in_utf8_are_refused(tmp_path: Path) -> None:
    assert "-c FILE" in read_message(tmp_path / "none.yaml")
    assert "cannot be read" in read_message(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("dataset: {name: caf\xe9}".encode("latin-1"))
    assert "cannot be read" in read_message(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    "text",
    [
        f"milvus: {{token: [{SECRET}]}}",
        f"milvus: {{token: {{a: {SECRET}}}}}",
        f"milvus: {{tokn: {SECRET}}}",
        f"milvus: {{token: {SECRET}, index: {{type: 5}}}}",
        f"milvus: [token, {SECRET}]",
        f"milvus: token {SECRET}",
        f'milvus:\n  token: "{SECRET}\n',
        f"milvus:\n  token: {SECRET}: x\n",
        f"milvus:\n  token: @{SECRET}\n",
        f"milvus: {{token: {SECRET}}}\nmilvus: {{}}",
    ],
)
def test_a_message_never_shows_a_token(write: WriteConfig, text: str) -> None:
    assert SECRET not in read_message(write(text))


# --- options that override the file ------------------------------------------------------------------------


def test_set_overrides_the_file(write: WriteConfig, tmp_path: Path) -> None:
    file = write("search: {top_k: 3, min_score: 0.1}\nfaces:\n")
    config = load_config(
        file,
        [
            "search.top_k=5",
            "search.top_k=7",
            "search.min_score=null",
            "faces.min_size=50",
            "milvus.index.params.nlist=64",
            "dataset.images=[a, b]",
            "milvus.uri=http://host:1",
            "milvus.token=a=b",
        ],
    )
    assert config.search.top_k == 7 and config.search.min_score is None
    assert config.faces.min_size == 50
    assert config.milvus.index.params.nlist == 64
    assert config.dataset.images == (tmp_path / "a", tmp_path / "b")
    assert config.milvus.uri == "http://host:1" and config.milvus.token == "a=b"


@pytest.mark.parametrize("folder", ["/photos/Trip #2", "#2", "/photos/#2 # 3", "'/photos/Trip #2'"])
def test_a_number_sign_does_not_begin_a_comment(write: WriteConfig, tmp_path: Path, folder: str) -> None:
    config = load_config(write(""), [f"dataset.images={folder}"])
    assert config.dataset.images == (tmp_path / folder.strip("'"),)


@pytest.mark.parametrize("value", ["[a, b] #2", '"a" #2', "[/photos/Trip #2, b]"])
def test_text_after_a_value_is_not_ignored(write: WriteConfig, value: str) -> None:
    assert "put it in quotes" in read_message(write(""), f"dataset.images={value}")


def test_every_setting_can_be_set(write: WriteConfig) -> None:
    shipped = yaml.safe_load(SHIPPED.read_text("utf-8"))
    for name in list_keys(shipped):
        value = shipped
        for part in name.split("."):
            value = value[part]
        load_config(write(""), [f"{name}={yaml.safe_dump(value, default_flow_style=True)}"])


@pytest.mark.parametrize(
    "assignment", ["top_k=5", "search.top_k", "search..top_k=5", ".top_k=5", "=5", "", "search.top_k=[1"]
)
def test_set_requires_section_key_and_value(write: WriteConfig, assignment: str) -> None:
    assert read_message(write(""), assignment).startswith("--set ")


@pytest.mark.parametrize(
    ("assignment", "problem"),
    [
        ("serch.top_k=5", "did you mean search?"),
        ("search.topk=5", "did you mean search.top_k?"),
        ("search.top_k.x=5", "search.top_k: expected a whole number from 1 to 1000"),
    ],
)
def test_set_is_validated_like_the_file(write: WriteConfig, assignment: str, problem: str) -> None:
    assert problem in read_message(write(""), assignment)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("serch.top_k=5", "--set serch: unknown key; did you mean search?"),
        ("search.topk=5", "--set search.topk: unknown key; did you mean search.top_k?"),
        ("search.top_k=many", "--set search.top_k: expected a whole number from 1 to 1000, got 'many'"),
        ("search.top_k=0", "--set search.top_k: expected a whole number from 1 to 1000, got 0"),
        ("search.top_k.x=5", "--set search.top_k: expected a whole number from 1 to 1000, got {'x': 5}"),
        ("search.strategy=best", "--set search.strategy: expected 'filter'"),
        ("milvus.index.type=best index", "--set milvus.index.type: "),
        ("milvus.tls.key=a.pem", "--set milvus.tls: expected certificate, key and ca together"),
        ("search.saved={a b: boat}", "--set search.saved: expected names of letters"),
        ("search.holiday_countries=[XX]", "--set search.holiday_countries: "),
        ("search.top_k", "--set search.top_k: expected section.key=value"),
    ],
)
def test_a_mistake_in_set_is_said_of_set_and_one_of_the_file_of_the_file(
    write: WriteConfig, assignment: str, message: str
) -> None:
    assert read_message(write("search: {min_score: 0.1}"), assignment).startswith(message)
    name = assignment.partition("=")[0]
    if name.partition(".")[0] != "dataset":
        file = write("dataset: {images: 5}\n")
        assert read_message(file, "search.top_k=5").startswith(f"{file}: dataset.images")


def test_a_mistake_in_the_name_of_a_dataset_is_said_of_the_option_that_gave_it(write: WriteConfig) -> None:
    assert read_message(write(""), dataset="bad name").startswith("-n: dataset.name: expected 1 to 100")
    assert read_message(write(""), "dataset.name=bad name").startswith("--set dataset.name: expected 1")
    file = write("dataset: {name: bad name}")
    assert read_message(file, "search.top_k=5").startswith(f"{file}: dataset.name: expected 1")


def test_set_does_not_replace_a_section_that_is_not_valid(write: WriteConfig) -> None:
    assert "search: expected a section of settings" in read_message(write("search: [1, 2]"), "search.top_k=5")


@pytest.mark.parametrize(
    "assignment",
    [f'milvus.token="{SECRET}', f"milvus.token=[{SECRET}]", f"token={SECRET}", f"milvus.tok={SECRET}"],
)
def test_a_message_about_set_never_shows_a_token(write: WriteConfig, assignment: str) -> None:
    assert SECRET not in read_message(write(""), assignment)


def test_the_name_of_a_dataset_is_not_parsed_as_yaml(write: WriteConfig) -> None:
    file = write("dataset: {name: x}")
    for name in ("holiday", "no", "null", "on"):
        assert load_config(file, ["dataset.name=y"], name).dataset.name == name
    for name in ("2023", "a: b", "", "x.db", "[a]"):
        assert "dataset.name" in read_message(file, dataset=name)
