"""config.yaml: every setting is in the file, a mistake gets one helpful line, and a token is never shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from pydantic import BaseModel, ValidationError

from imagesearch.config import Config, load_config
from imagesearch.errors import UserError

SHIPPED = ROOT / "config.yaml"
SECRET = "hunter2-hunter2"
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a config file and returns its path."""

    def write(text: str) -> Path:
        file = tmp_path / "config.yaml"
        file.write_text(text, "utf-8")
        return file

    return write


def refused(file: Path, *assignments: str, dataset: str | None = None) -> str:
    """What the user is told: one line that names the file or the option."""
    with pytest.raises(UserError) as caught:
        load_config(file, assignments, dataset)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith((f"{file}: ", "--set "))
    return message


def leaves(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting of a config with its value."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def keys(node: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in node.items():
        if isinstance(value, dict) and value:
            yield from keys(value, f"{prefix}{name}.")
        else:
            yield prefix + name


# --- the shipped file --------------------------------------------------------------------------------------


def test_the_shipped_file_says_what_holds_without_it(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").touch()
    (tmp_path / "shipped.yaml").write_bytes(SHIPPED.read_bytes())
    shipped, default = load_config(tmp_path / "shipped.yaml"), load_config(tmp_path / "empty.yaml")
    assert dict(leaves(shipped)) == dict(leaves(default))


def test_the_shipped_file_has_every_setting_and_no_other(write: Write) -> None:
    settings = {name for name, _ in leaves(load_config(write("")))}
    assert set(keys(yaml.safe_load(SHIPPED.read_text("utf-8")))) == settings
    assert len(settings) > 30


def test_the_shipped_file_explains_every_setting() -> None:
    for line in SHIPPED.read_text("utf-8").splitlines():
        if re.match(r"\s+\w+: \S", line) and not line.startswith("  language"):
            assert " # " in line or "user_agent" in line, f"no comment: {line}"


@pytest.mark.parametrize("template", ["a photo", "7", "a {text", "[]"])
def test_a_template_has_a_place_for_the_text(write: Write, template: str) -> None:
    with pytest.raises(UserError, match=r"search\.template.*\{text\}"):
        load_config(write(""), [f"search.template={template}"])


# --- what is missing is its default ------------------------------------------------------------------------


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
def test_empty_files_and_empty_sections_mean_the_defaults(write: Write, text: str) -> None:
    config = load_config(write(text))
    assert config.search.top_k == 10
    assert config.milvus.index.params.nlist == "auto"
    assert config.dataset.exclude == ()


def test_a_config_cannot_be_changed(write: Write) -> None:
    config = load_config(write("dataset: {exclude: ['*.gif']}"))
    for section, key in [(config.search, "top_k"), (config.milvus.index.params, "M"), (config, "search")]:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, key, 1)
    assert isinstance(config.dataset.exclude, tuple) and isinstance(config.dataset.images, tuple)


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
        ("search: {zzzzzz: 5}", "search.zzzzzz: unknown key; known here: top_k"),
    ],
)
def test_an_unknown_key_is_met_with_the_nearest_known_one(write: Write, text: str, hint: str) -> None:
    assert hint in refused(write(text))


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
        ("milvus.uri", ["a", "tcp://a:1", "''", "5", "null"], ["a.db", "http://a:1", "https://a"]),
        ("milvus.token", ["5", "null", "[a]"], ["a", "''"]),
        ("milvus.index.type", ["flat", "DISKANN"], ["auto", "FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW"]),
        ("milvus.index.params.nlist", ["0", "full", "true"], ["1", "auto"]),
        ("milvus.index.search_params.ef", ["0", "32769"], ["1"]),
        ("search.top_k", ["0", "1001", "ten", "1.5", "true", "null"], ["1", "1000"]),
        ("search.min_score", ["-1.1", "1.1", ".nan", "'0.2'"], ["-1", "1", "0", "null", "0.25"]),
    ],
)
def test_ranges_and_types(write: Write, setting: str, bad: list[str], good: list[str]) -> None:
    file = write("")
    for value in bad:
        assert setting in refused(file, f"{setting}={value}")
    for value in good:
        load_config(file, [f"{setting}={value}"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- search\n- models\n", "sections such as 'dataset:'"),
        ("just words", "sections such as 'dataset:'"),
        ("search: [1", "not valid YAML"),
        ("search:\n\ttop_k: 3", "not valid YAML"),
        ("? [a]\n: b", "not valid YAML"),
        ("dataset: {name: 2001-99-99}", "not valid YAML"),
        ("dataset: !!python/object:os.system {}", "not valid YAML"),
        ("[" * 5000, "not valid YAML"),
        ("search: 5", "search: "),
        ("1: 2", "1: "),
        ("search: {1: 2}", "search.1: "),
    ],
)
def test_files_that_are_no_config(write: Write, text: str, told: str) -> None:
    assert told in refused(write(text))


def test_a_key_given_twice_is_refused_rather_than_half_lost(write: Write) -> None:
    assert "'search' stands here a second time (line 3" in refused(
        write("search: {top_k: 3}\nmodels: {}\nsearch: {min_score: 0.2}")
    )
    assert "'top_k'" in refused(write("search:\n  top_k: 3\n  top_k: 4"))


def test_a_file_that_is_missing_a_folder_or_not_utf8(tmp_path: Path) -> None:
    assert "-c FILE" in refused(tmp_path / "none.yaml")
    assert "cannot be read" in refused(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("dataset: {name: caf\xe9}".encode("latin-1"))
    assert "cannot be read" in refused(tmp_path / "latin.yaml")


def test_several_mistakes_are_counted(write: Write) -> None:
    assert refused(write("search: {topk: 3}\nfaces: {min_size: 0}\ngeo: {x: 1}")).endswith("(and 2 more)")


# --- paths -------------------------------------------------------------------------------------------------


def test_paths_are_relative_to_the_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
        assert config.milvus.uri == str(tmp_path / "m.db") and config.milvus.is_lite
        assert config.models.clip == str(tmp_path / "my-clip")
        assert config.models.vit == str(tmp_path / "v")
        assert config.models.faces == "org/name"


def test_default_paths_too_are_relative_to_the_file(write: Write, tmp_path: Path) -> None:
    config = load_config(write(""))
    assert config.dataset.images == (tmp_path / "data/photos",)
    assert config.milvus.uri == str(tmp_path / "data/milvus.db")


def test_a_home_that_nobody_has(write: Write) -> None:
    assert "~" in refused(write("dataset: {images: ~no-such-user/photos}"))
    assert "~" in refused(write("models: {clip: ~no-such-user/clip}"))


def test_a_server_is_not_a_path(write: Write) -> None:
    config = load_config(write("milvus: {uri: 'http://localhost:19530'}"))
    assert config.milvus.uri == "http://localhost:19530"
    assert not config.milvus.is_lite


# --- the environment and secrets ---------------------------------------------------------------------------


def test_the_environment_is_read_in_uri_and_token_only(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_variable_in_a_variable_is_not_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "${HOME}")
    assert load_config(write("milvus: {token: '${KEY}'}")).milvus.token == "${HOME}"


def test_a_variable_that_is_not_set(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    message = refused(write(f"milvus: {{token: '${{NO_SUCH}}{SECRET}'}}"))
    assert "NO_SUCH is not set" in message
    assert SECRET not in message


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
def test_an_error_never_prints_a_token(write: Write, text: str) -> None:
    assert SECRET not in refused(write(text))


@pytest.mark.parametrize(
    "given",
    [f'milvus.token="{SECRET}', f"milvus.token=[{SECRET}]", f"token={SECRET}", f"milvus.tok={SECRET}"],
)
def test_an_option_never_prints_a_token(write: Write, given: str) -> None:
    assert SECRET not in refused(write(""), given)


def test_a_printed_config_has_no_token(write: Write) -> None:
    config = load_config(write(f"milvus: {{token: {SECRET}}}"))
    assert config.milvus.token == SECRET
    assert SECRET not in f"{config!r} {config}"


# --- --set -------------------------------------------------------------------------------------------------


def test_settings_given_by_hand_go_over_the_file(write: Write, tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    "given", ["top_k=5", "search.top_k", "search..top_k=5", ".top_k=5", "=5", "", "search.top_k=[1"]
)
def test_options_that_are_not_settings(write: Write, given: str) -> None:
    assert refused(write(""), given).startswith("--set ")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("serch.top_k=5", "did you mean search?"),
        ("search.topk=5", "did you mean search.top_k?"),
        ("search.top_k.x=5", "search.top_k"),
    ],
)
def test_a_mistyped_option_is_met_like_a_mistyped_key(write: Write, given: str, told: str) -> None:
    assert told in refused(write(""), given)


def test_a_broken_section_is_not_mended_by_an_option(write: Write) -> None:
    assert "search: " in refused(write("search: [1, 2]"), "search.top_k=5")


def test_a_dataset_given_by_hand_is_a_name_whatever_yaml_would_read(write: Write) -> None:
    file = write("dataset: {name: x}")
    for name in ("holiday", "no", "null", "on"):
        assert load_config(file, ["dataset.name=y"], name).dataset.name == name
    for name in ("2023", "a: b", "", "x.db", "[a]"):
        assert "dataset.name" in refused(file, dataset=name)


def test_every_setting_can_be_given_by_hand(write: Write) -> None:
    shipped = yaml.safe_load(SHIPPED.read_text("utf-8"))
    for name in keys(shipped):
        value = shipped
        for part in name.split("."):
            value = value[part]
        load_config(write(""), [f"{name}={yaml.safe_dump(value, default_flow_style=True)}"])


def test_the_type_of_a_loaded_config(write: Write) -> None:
    assert type(load_config(str(write("")))) is Config


# --- geocoders ---------------------------------------------------------------------------------------------


def test_a_geocoder_has_an_address_a_name_that_says_who_asks_and_options(write: Write) -> None:
    for url in (
        "https://",
        "ftp://a.org",
        "http://a.org:99999",
        "http://a.org/?x=1",
        "a.org",
        "http://ä.org",
    ):
        assert "nominatim_url" in refused(write(f"geo: {{nominatim_url: '{url}'}}"))
    for agent in ("", "Zoë’s photos", "a\\r\\nX: 1"):  # noqa: RUF001 - not Latin-1
        assert "user_agent" in refused(write(f'geo: {{user_agent: "{agent}"}}'))
    assert "geo.geocoder" in refused(write("geo: {geocoder: 5}"))
    options = load_config(write("geo: {options: {format: 2, key: a}}")).geo.options
    assert options == {"format": 2, "key": "a"}


def test_keys_of_geocoders_come_from_the_environment_and_are_never_shown(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAP_KEY", "s3cret")
    config = load_config(write("geo: {geocoder: opencage, options: {api_key: '${MAP_KEY}'}}"))
    assert config.geo.options == {"api_key": "s3cret"} and "s3cret" not in repr(config)
    assert "s3cret" not in refused(write("geo: {options: [s3cret]}"))
