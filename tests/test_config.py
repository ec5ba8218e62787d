"""Settings: config.yaml lists all of them, mistakes are reported in one line, no message shows a token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from config_files import SECRET, SHIPPED, WriteConfig, list_keys, read_message, write_config
from pydantic import BaseModel, ValidationError

from imagesearch.config import Config, load_config


@pytest.fixture
def write(tmp_path: Path) -> WriteConfig:
    """Writes a config file and returns its path."""
    return partial(write_config, tmp_path)


def list_settings(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each setting of a config with its value."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from list_settings(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


# --- the shipped file --------------------------------------------------------------------------------------


def test_the_shipped_file_contains_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").touch()
    (tmp_path / "shipped.yaml").write_bytes(SHIPPED.read_bytes())
    shipped, default = load_config(tmp_path / "shipped.yaml"), load_config(tmp_path / "empty.yaml")
    assert dict(list_settings(shipped)) == dict(list_settings(default))


def test_the_shipped_file_has_every_setting_and_no_other(write: WriteConfig) -> None:
    settings = {name for name, _ in list_settings(load_config(write("")))}
    assert set(list_keys(yaml.safe_load(SHIPPED.read_text("utf-8")))) == settings
    assert len(settings) > 30


def test_each_setting_in_the_shipped_file_has_a_comment_with_its_default() -> None:
    lines = SHIPPED.read_text("utf-8").splitlines()
    settings = [i for i, line in enumerate(lines) if re.match(r" +\w+: \S", line)]
    assert len(settings) > 30
    for i in settings:
        name, value = lines[i].split(": ", 1)
        default = "empty" if value in ('""', "[]", "{}") else value
        comment = lines[i - 1]
        assert re.match(r" +# \S", comment), f"no comment above {lines[i]}"
        assert f"Default: {default}." in comment, f"wrong default in the comment above {name.strip()}"
        assert len(comment) <= 120


# --- defaults ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "---\n",
        "search:\n",
        "milvus:\n  index:\n",
        "milvus: {index: {params: }}",
        "dataset: {exclude: }",
    ],
)
def test_empty_files_and_empty_sections_have_the_defaults(write: WriteConfig, text: str) -> None:
    config = load_config(write(text))
    assert config.search.top_k == 10
    assert config.milvus.index.params.nlist == "auto"
    assert config.dataset.exclude == ()


def test_a_config_cannot_be_changed(write: WriteConfig) -> None:
    config = load_config(write("dataset: {exclude: ['*.gif']}"))
    for section, key in [(config.search, "top_k"), (config.milvus.index.params, "M"), (config, "search")]:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, key, 1)
    assert isinstance(config.dataset.exclude, tuple) and isinstance(config.dataset.images, tuple)


def test_the_type_of_a_loaded_config(write: WriteConfig) -> None:
    assert type(load_config(str(write("")))) is Config


# --- mistakes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("search: {topk: 3}", "search.topk: unknown key; did you mean search.top_k?"),
        ("serch: {top_k: 3}", "serch: unknown key; did you mean search?"),
        ("extraction: {batchsize: 3}", "did you mean extraction.batch_size?"),
        ("milvus: {index: {parms: {}}}", "did you mean milvus.index.params?"),
        ("milvus: {index: {params: {m: 3}}}", "did you mean milvus.index.params.M?"),
        ("search: {device: cpu}", "did you mean models.device?"),
        ("faces: {preview_size: 256}", "did you mean extraction.preview_size?"),
        ("milvus: {nlist: 5}", "did you mean milvus.index.params.nlist?"),
        ("top_k: 5", "did you mean search.top_k?"),
        ("search: {zzzzzz: 5}", "search.zzzzzz: unknown key; expected one of top_k, strategy, ranker,"),
    ],
)
def test_the_message_for_an_unknown_key_suggests_the_nearest_key(
    write: WriteConfig, text: str, hint: str
) -> None:
    assert hint in read_message(write(text))


@pytest.mark.parametrize(
    ("setting", "value", "problem"),
    [
        ("dataset.images", "[]", "expected at least one folder, got []"),
        ("dataset.exclude", "[5]", "expected a pattern or a list of patterns, got [5]"),
        ("models.clip", "null", "expected the name of a model or a folder, got null"),
        ("models.device", "gpu", "expected 'auto', 'cpu', 'cuda' or 'mps', got 'gpu'"),
        ("extraction.batch_size", "true", "expected a whole number from 1 to 4096, got true"),
        ("extraction.workers", "all", "expected 'auto' or a whole number from 1 to 256, got 'all'"),
        ("extraction.max_megapixels", "0", "expected a number above 0 and at most 10000, got 0"),
        ("faces.det_size", "65", "expected a whole number from 64 to 4096 and a multiple of 32, got 65"),
        ("faces.cluster_distance", "2", "expected a number above 0 and below 2, got 2"),
        ("search.min_score", "x", "expected a number from -1 to 1 or null, got 'x'"),
        ("geo.language", "5", "expected a string, got 5"),
        ("geo.options", "[1]", "expected options, such as {name: value}"),
        ("milvus.index.options", "null", "expected options, such as {name: value}"),
        ("geo.options", "{1: 2}", "expected a string as the key"),
        ("milvus.uri", "5", "expected a path that ends in .db or an http(s):// URL, got 5"),
        ("milvus.index", "5", "expected a section of settings, got 5"),
        ("search.template", "a photo", "expected a string that contains {text}, such as 'a photo of {text}'"),
    ],
)
def test_a_message_gives_what_is_expected_and_the_value(
    write: WriteConfig, setting: str, value: str, problem: str
) -> None:
    file = write("")
    message = read_message(file, f"{setting}={value}")
    name, _, rest = message.removeprefix("--set ").partition(": ")
    assert name.startswith(setting) and rest.startswith(problem)


@pytest.mark.parametrize(
    ("setting", "bad", "good"),
    [
        ("dataset.name", ["1a", "a-b", "é", "''", "a b", "5", "null", "no", "a" * 101], ["a_1", "a" * 100]),
        ("dataset.images", ["[]", "''", "5", "null", "[a, 5]"], ["a", "[a, b]", "~/a"]),
        ("dataset.exclude", ["5", "[5]", "{a: b}"], ["'*.gif'", "['*.gif', b]", "[]"]),
        ("models.clip", ["5", "''", "null"], ["a/b", "./a", "x" * 300]),
        ("models.device", ["gpu", "CPU", "0"], ["auto", "cpu", "cuda", "mps"]),
        ("models.precision", ["half", "16"], ["auto", "float32", "bfloat16", "float16"]),
        ("extraction.batch_size", ["0", "4097", "1.5", "true", "'32'", "auto"], ["1", "4096"]),
        ("extraction.workers", ["0", "-1", "1.5", "true", "Auto", "'4'"], ["1", "auto"]),
        ("extraction.preview_size", ["255", "8193"], ["256", "8192"]),
        ("extraction.max_megapixels", ["0", "-1", ".inf", ".nan", "10001", "true"], ["0.5", "200", "10000"]),
        ("extraction.top_classes", ["0", "1001"], ["1", "1000"]),
        ("faces.det_size", ["63", "641", "4128"], ["64", "640"]),
        ("faces.min_score", ["-0.1", "1.1"], ["0", "1", "0.5"]),
        ("faces.cluster_distance", ["0", "2"], ["0.1", "1.9"]),
        (
            "milvus.uri",
            ["a", "tcp://a:1", "http://", "http://a:x", "http://a:99999", "''", "5", "null"],
            ["a.db", "http://a:1"],
        ),
        ("milvus.token", ["5", "null", "[a]"], ["a", "''"]),
        ("milvus.index.type", ["flat", "IVF-FLAT", "5"], ["auto", "FLAT", "HNSW", "DISKANN", "GPU_CAGRA"]),
        ("milvus.index.params.nlist", ["0", "full", "true"], ["1", "auto"]),
        ("milvus.index.search_params.ef", ["0", "32769"], ["1"]),
        ("search.top_k", ["0", "1001", "ten", "1.5", "true", "null"], ["1", "1000"]),
        ("search.min_score", ["-1.1", "1.1", ".nan", "'0.2'"], ["-1", "1", "0", "null", "0.25"]),
        ("search.template", ["a photo", "7", "a {text", "[]"], ["'{text}'"]),
    ],
)
def test_ranges_and_types(write: WriteConfig, setting: str, bad: list[str], good: list[str]) -> None:
    file = write("")
    for value in bad:
        assert f"{setting}: expected " in read_message(file, f"{setting}={value}")
    for value in good:
        load_config(file, [f"{setting}={value}"])


def test_several_mistakes_are_counted(write: WriteConfig) -> None:
    assert read_message(write("search: {topk: 3}\nfaces: {min_size: 0}")).endswith("(and 1 more error)")
    message = read_message(write("search: {topk: 3}\nfaces: {min_size: 0}\ngeo: {x: 1}"))
    assert message.endswith("(and 2 more errors)")


# --- paths -------------------------------------------------------------------------------------------------


def test_paths_are_relative_to_the_file(
    write: WriteConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-clip").mkdir()
    file = write(
        "dataset: {images: [a, /b, ~/c], processed: p}\nmodels: {clip: my-clip, vit: ./v, faces: org/name}\n"
        "milvus: {uri: m.db}"
    )
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.chdir("/")
    for config in (load_config(file), load_config(file.relative_to("/"))):
        assert config.dataset.images == (tmp_path / "a", Path("/b"), Path("/home/ann/c"))
        assert config.dataset.folder == tmp_path / "p" / "photos"
        assert config.milvus.uri == str(tmp_path / "m.db") and config.milvus.is_file
        assert config.models.clip == str(tmp_path / "my-clip")
        assert config.models.vit == str(tmp_path / "v")
        assert config.models.faces == "org/name"


def test_default_paths_are_relative_to_the_file(write: WriteConfig, tmp_path: Path) -> None:
    config = load_config(write(""))
    assert config.dataset.images == (tmp_path / "data/photos",)
    assert config.milvus.uri == str(tmp_path / "data/milvus.db")


def test_an_unknown_home_folder_is_refused(write: WriteConfig) -> None:
    assert "~USER" in read_message(write("dataset: {images: ~no-such-user/photos}"))
    assert "~USER" in read_message(write("models: {clip: ~no-such-user/clip}"))


def test_the_url_of_a_server_is_not_a_path(write: WriteConfig) -> None:
    config = load_config(write("milvus: {uri: 'http://localhost:19530'}"))
    assert config.milvus.uri == "http://localhost:19530"
    assert not config.milvus.is_file


# --- environment variables and secrets ---------------------------------------------------------------------


def test_environment_variables_are_read_in_uri_and_token_only(
    write: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST", "example.org")
    monkeypatch.setenv("KEY", SECRET)
    config = load_config(
        write(
            "milvus: {uri: 'https://${HOST}:1', token: 'ann:${KEY}'}\n"
            "dataset: {images: '${HOST}', exclude: ['${HOST}']}\nmodels: {clip: '${HOST}'}\n"
            "geo: {user_agent: '${HOST}'}"
        )
    )
    assert config.milvus.uri == "https://example.org:1"
    assert config.milvus.token == f"ann:{SECRET}"
    assert config.dataset.images[0].name == config.dataset.exclude[0] == "${HOST}"
    assert config.models.clip == config.geo.user_agent == "${HOST}"


def test_the_value_of_a_variable_is_not_expanded_again(
    write: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "${HOME}")
    assert load_config(write("milvus: {token: '${KEY}'}")).milvus.token == "${HOME}"


def test_a_variable_that_is_not_set_is_named(write: WriteConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    message = read_message(write(f"milvus: {{token: '${{NO_SUCH}}{SECRET}'}}"))
    assert "milvus.token: expected the environment variable NO_SUCH to be set" in message
    assert SECRET not in message


def test_a_printed_config_has_no_token(write: WriteConfig) -> None:
    config = load_config(write(f"milvus: {{token: {SECRET}}}"))
    assert config.milvus.token == SECRET
    assert SECRET not in f"{config!r} {config}"


# --- geocoders ---------------------------------------------------------------------------------------------


def test_the_settings_of_a_geocoder_are_checked(write: WriteConfig) -> None:
    for url in (
        "https://",
        "ftp://a.org",
        "http://a.org:99999",
        "http://a.org/?x=1",
        "a.org",
        "http://ä.org",
    ):
        assert "nominatim_url: expected" in read_message(write(f"geo: {{nominatim_url: '{url}'}}"))
    for agent in ("", "Zoë’s photos", "a\\r\\nX: 1"):  # noqa: RUF001 - not Latin-1
        assert "user_agent: expected" in read_message(write(f'geo: {{user_agent: "{agent}"}}'))
    assert "geo.geocoder: expected" in read_message(write("geo: {geocoder: 5}"))
    options = load_config(write("geo: {options: {format: 2, key: a}}")).geo.options
    assert options == {"format": 2, "key": "a"}


def test_keys_of_geocoders_come_from_the_environment_and_are_never_shown(
    write: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAP_KEY", "s3cret")
    config = load_config(write("geo: {geocoder: opencage, options: {api_key: '${MAP_KEY}'}}"))
    assert config.geo.options == {"api_key": "s3cret"} and "s3cret" not in repr(config)
    for options in ("[s3cret]", "{api_key: [s3cret]}", "s3cret"):
        assert "s3cret" not in read_message(write(f"geo: {{options: {options}}}"))


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://user:secret@host",
        "HTTP://user:secret@host:x",
        "http://user:secret@host:99999",
        "http://user:sec/secret@host:1",
    ],
)
def test_a_message_about_the_uri_has_no_password(write: WriteConfig, uri: str) -> None:
    assert "secret" not in read_message(write(""), f"milvus.uri='{uri}'")


@pytest.mark.parametrize(
    "uri", ["http://user:secret@host:1", "http://user:se@secret@host:1", "http://host:1"]
)
def test_the_displayed_uri_has_no_password(write: WriteConfig, uri: str) -> None:
    milvus = load_config(write(""), [f"milvus.uri='{uri}'"]).milvus
    assert milvus.display_uri == "http://host:1"
    assert "secret" not in repr(milvus)


def test_the_tiles_of_the_map_have_a_host_that_can_be_part_of_a_policy(write: WriteConfig) -> None:
    for url in ("", "http://[::1]:8080/{z}/{x}/{y}", "https://a.example.org/{z}/{x}/{y}@2x.png?key=a-1"):
        assert load_config(write(f"web: {{map_tiles: '{url}'}}")).web.map_tiles == url
    wrong = (
        "https://a.org/{z}/{x}.png",
        "/{z}/{x}/{y}",
        "ftp://a.org/{z}/{x}/{y}",
        "https://{s}.a.org/{z}/{x}/{y}",
    )
    wrong += (
        "https://a.org;script-src/{z}/{x}/{y}",
        "https://a.org *:80/{z}/{x}/{y}",
        "https://me:x@a.org/{z}/{x}/{y}",
    )
    for url in wrong:
        assert "map_tiles: expected an http(s) URL with" in read_message(
            write(f"web: {{map_tiles: '{url}'}}")
        )
