"""The sections of config.yaml: typed, validated, frozen; an unknown key gets the nearest known one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from imagesearch.config_file import read_config_file
from imagesearch.errors import UserError
from imagesearch.text import find_similar

DATASET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _resolve_path(value: Any, info: ValidationInfo) -> Any:
    """Read a relative path as relative to the config file's folder."""
    if not isinstance(value, (str, Path)) or not str(value).strip():
        raise ValueError("a path is wanted")
    return _join_base(value, info)


def _join_base(value: str | Path, info: ValidationInfo) -> Path:
    try:
        return info.context["base"] / Path(value).expanduser()
    except RuntimeError:  # ~nobody
        raise ValueError("the home folder that ~ stands for is not known") from None


def _resolve_paths(value: Any, info: ValidationInfo) -> Any:
    values = value if isinstance(value, (list, tuple)) else [value]
    if not values:
        raise ValueError("at least one folder is wanted")
    return tuple(_resolve_path(v, info) for v in values)


def _resolve_model(value: Any, info: ValidationInfo) -> Any:
    """Keep a hub name as it is; turn what names a folder into that folder's path."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("the name of a model or a folder is wanted")
    folder = _join_base(value, info)
    looks_like_path = value.startswith(("/", "./", "../", "~")) or "\\" in value
    # os.path: Path.is_dir raises for a name too long for a file, and it may yet be somebody's hub name
    return str(folder) if looks_like_path or os.path.isdir(folder) else value  # noqa: PTH112 - see above


def _read_patterns(value: Any) -> Any:
    """Read one pattern or a list of them; an empty key means none."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (value,) if isinstance(value, str) else value


def _expand_environment(value: Any) -> Any:
    """Replace each ``${NAME}`` by the environment variable of that name."""

    def lookup(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ValueError(f"the environment variable {match[1]} is not set")
        return os.environ[match[1]]

    return _VARIABLE.sub(lookup, value) if isinstance(value, str) else value


def _check_milvus_uri(value: Any, info: ValidationInfo) -> Any:
    value = _expand_environment(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a file ending in .db or the address of a server is wanted")
    if re.match(r"https?://", value):
        return value
    if "://" in value:
        raise ValueError("a server's address starts with http:// or https://")
    if not value.endswith(".db"):
        raise ValueError("a Milvus Lite file ends in .db; a server's address starts with http:// or https://")
    return str(_resolve_path(value, info))


def _check_dataset_name(value: Any) -> Any:
    if not isinstance(value, str) or not DATASET_NAME.fullmatch(value):
        raise ValueError("letters, digits and _ only, not starting with a digit: it names Milvus collections")
    return value


def _check_template(value: Any) -> Any:
    if not isinstance(value, str) or "{text}" not in value:
        raise ValueError("a text with {text} in it is wanted, such as: a photo of {text}")
    return value


def _check_server_url(value: str) -> str:
    """Accept the address of a server, to which a path can be added."""
    try:
        parts = urlsplit(value)
        is_server = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, or half an IPv6 address
        is_server = False
    if not is_server or parts.query or parts.fragment or not value.isascii() or not value.isprintable():
        raise ValueError("the address of a server is wanted: https://nominatim.example.org, without a query")
    return value


def _check_header(value: str) -> str:
    """Accept what can be the value of an HTTP header."""
    if not value.strip() or not value.isprintable() or not all(c <= "\xff" for c in value):
        raise ValueError("one line of Latin letters is wanted: it is sent as a header of HTTP")
    return value


def _require_auto_or_number(most: int) -> BeforeValidator:
    def check(value: Any) -> Any:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if value == "auto" or (is_number and 1 <= value <= most):
            return value
        raise ValueError(f"auto or a whole number from 1 to {most} is wanted")

    return BeforeValidator(check)


ResolvedPath = Annotated[Path, BeforeValidator(_resolve_path)]
ResolvedPaths = Annotated[tuple[Path, ...], BeforeValidator(_resolve_paths)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_read_patterns)]
ModelName = Annotated[str, BeforeValidator(_resolve_model)]
ThreadCount = Annotated[int | Literal["auto"], _require_auto_or_number(256)]
ClusterCount = Annotated[int | Literal["auto"], _require_auto_or_number(65_536)]  # Milvus takes no more


class _Section(BaseModel):
    # strict: "yes" must not become 1, nor "20" a number that is compared with other texts
    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, strict=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _replace_none(cls, value: Any) -> Any:
        """Take a section in which every key is commented out, None in YAML, for its defaults."""
        return {} if value is None else value


class DatasetConfig(_Section):
    """Which photos, and where what is read from them is kept."""

    name: Annotated[str, BeforeValidator(_check_dataset_name), Field(max_length=100)] = "photos"
    images: ResolvedPaths = Field(default="data/photos")  # type: ignore[assignment]  # validated into paths
    exclude: Patterns = ()
    processed: ResolvedPath = Field(default="data/processed")  # type: ignore[assignment]

    @property
    def folder(self) -> Path:
        """Where this dataset's tables are."""
        return self.processed / self.name


class ModelsConfig(_Section):
    """Which models, and what they run on."""

    clip: ModelName = "openai/clip-vit-base-patch32"
    vit: ModelName = "google/vit-base-patch16-224"
    faces: ModelName = "buffalo_l"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"


class ExtractionConfig(_Section):
    """How photos are read and fed to the models."""

    batch_size: int = Field(default=32, ge=1, le=4096)
    workers: ThreadCount = "auto"
    preview_size: int = Field(default=1024, ge=256, le=8192)
    max_megapixels: float = Field(default=200.0, gt=0, le=10_000)
    top_classes: int = Field(default=5, ge=1, le=1000)


class FacesConfig(_Section):
    """Which faces count, and when two of them are one person."""

    det_size: int = Field(default=640, ge=64, le=4096, multiple_of=32)
    min_score: float = Field(default=0.5, ge=0, le=1)
    min_size: int = Field(default=32, ge=1, le=4096)
    cluster_distance: float = Field(default=0.5, gt=0, lt=2)


class GeoConfig(_Section):
    """How positions become addresses."""

    geocoder: str = "offline"  # geopy knows which others there are; it is asked when one is set up
    options: dict[str, Annotated[str | int | float | bool, BeforeValidator(_expand_environment)]] = Field(
        default={}, repr=False
    )
    nominatim_url: Annotated[str, AfterValidator(_check_server_url)] = "https://nominatim.openstreetmap.org"
    user_agent: Annotated[str, AfterValidator(_check_header)] = "imagesearch"
    language: str = "en"


class IndexParams(_Section):
    """Parameters of building an index; each index type reads its own."""

    nlist: ClusterCount = "auto"
    M: int = Field(default=16, ge=2, le=2048)
    efConstruction: int = Field(default=200, ge=8, le=100_000)  # noqa: N815 - Milvus' own name


class IndexSearchParams(_Section):
    """Parameters of searching an index."""

    nprobe: ClusterCount = "auto"
    ef: int = Field(default=64, ge=1, le=32_768)


class IndexConfig(_Section):
    """How Milvus indexes the vectors."""

    type: Literal["auto", "FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW"] = "auto"
    params: IndexParams = IndexParams()
    search_params: IndexSearchParams = IndexSearchParams()


class MilvusConfig(_Section):
    """Where the collections live."""

    uri: Annotated[str, BeforeValidator(_check_milvus_uri)] = "data/milvus.db"
    token: Annotated[str, BeforeValidator(_expand_environment)] = Field(default="", repr=False)
    index: IndexConfig = IndexConfig()

    @property
    def is_lite(self) -> bool:
        """Whether ``uri`` is a local Milvus Lite file."""
        return "://" not in self.uri


class SearchConfig(_Section):
    """What a search answers with when nothing else is said."""

    top_k: int = Field(default=10, ge=1, le=1000)
    strategy: Literal["filter", "hybrid", "semantic"] = "filter"
    ranker: Literal["rrf", "weighted"] = "rrf"
    min_score: float | None = Field(default=None, ge=-1, le=1)
    min_fit: float | None = Field(default=None, ge=0, le=1)
    template: Annotated[str, BeforeValidator(_check_template)] = "a photo of {text}"


class Config(_Section):
    """Everything in config.yaml."""

    dataset: DatasetConfig = Field(default_factory=dict)  # type: ignore[arg-type]  # validated with the context
    models: ModelsConfig = Field(default_factory=dict)  # type: ignore[arg-type]
    extraction: ExtractionConfig = ExtractionConfig()
    faces: FacesConfig = FacesConfig()
    geo: GeoConfig = GeoConfig()
    milvus: MilvusConfig = Field(default_factory=dict)  # type: ignore[arg-type]
    search: SearchConfig = SearchConfig()


def load_config(file: str | Path, assignments: Iterable[str] = (), dataset: str | None = None) -> Config:
    """Read and validate a config file.

    Parameters
    ----------
    file
        A YAML file. Relative paths in it are relative to its folder. Keys left out have their defaults.
    assignments
        ``"section.key=value"`` each, the value in YAML; applied over the file as if written in it.
    dataset
        Replaces ``dataset.name``.

    Raises
    ------
    UserError
        If the file is missing or is not YAML, or a key or value is not known.
    """
    path = Path(file)
    raw = read_config_file(path, assignments, dataset)
    try:
        return Config.model_validate(raw, context={"base": path.absolute().parent})
    except ValidationError as error:
        raise UserError(f"{path}: {_describe_error(error)}") from None


def _describe_error(error: ValidationError) -> str:
    """One line for the first thing that is wrong, with how many more there are."""
    problems = error.errors()
    first = problems[0]
    where = [str(part) for part in first["loc"]]
    name = ".".join(where)
    if first["type"] == "extra_forbidden":
        text = f"{name}: unknown key{_suggest_key(where)}"
    else:
        secret = name in ("milvus", "milvus.token", "geo") or name.startswith("geo.options")  # tokens, keys
        got = "" if secret else f" (got {first['input']!r})"
        text = f"{name}: {first['msg'].removeprefix('Value error, ')}{got}"
    rest = len({problem["loc"][:3] for problem in problems}) - 1
    return text + (f" (and {rest} more)" if rest else "")


def _suggest_key(where: list[str]) -> str:
    """The key that was meant by an unknown one: the same in another section, or a similar one in its own."""
    section = _map_keys(Config)
    for part in where[:-1]:
        section = section.get(part, {})
    same = [name for name in _list_keys(_map_keys(Config)) if name.rpartition(".")[2] == where[-1]]
    keys = {key.lower(): ".".join([*where[:-1], key]) for key in section}
    similar = [keys[key] for key in find_similar(where[-1].lower(), keys, min_ratio=0.5)]
    if meant := [*same, *similar]:
        return f"; did you mean {meant[0]}?"
    return f"; known here: {', '.join(section)}" if section else ""


def _list_keys(fields: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield every key, with its sections before it."""
    for name, inner in fields.items():
        yield prefix + name
        yield from _list_keys(inner, f"{prefix}{name}.")


def _map_keys(model: type[BaseModel]) -> dict[str, Any]:
    """Names of a section's keys, nested sections as nested dicts."""
    return {
        name: _map_keys(field.annotation)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        else {}
        for name, field in model.model_fields.items()
    }
