"""The settings of config.yaml as typed, frozen models.

Each section is a model below, with its defaults and ranges. `load_config` reads and validates a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
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
from imagesearch.config_messages import describe_mistakes, name_source
from imagesearch.errors import UserError

_DATASET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
# The countries that the library holidays knows, by their ISO codes.
_HOLIDAY_COUNTRIES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY
BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR
IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK
ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF
TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
""".split()  # noqa: SIM905 - a list would have 250 lines
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _resolve_path(value: Any, info: ValidationInfo) -> Any:
    """Resolve a path relative to the config file's folder."""
    if not isinstance(value, (str, Path)) or not str(value).strip():
        raise ValueError("expected a path")
    return _join_base(value, info)


def _join_base(value: str | Path, info: ValidationInfo) -> Path:
    try:
        return info.context["base"] / Path(value).expanduser()
    except RuntimeError:  # such as ~nobody
        raise ValueError("expected ~ or ~USER to be a known home folder") from None


def _resolve_optional_path(value: Any, info: ValidationInfo) -> Any:
    return None if value in (None, "") else _resolve_path(value, info)


def _resolve_paths(value: Any, info: ValidationInfo) -> Any:
    values = value if isinstance(value, (list, tuple)) else [value]
    if not values:
        raise ValueError("expected at least one folder")
    return tuple(_resolve_path(v, info) for v in values)


def _resolve_model(value: Any, info: ValidationInfo) -> Any:
    """Return the path of a local folder; return a hub name unchanged."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected the name of a model or a folder")
    folder = _join_base(value, info)
    looks_like_path = value.startswith(("/", "./", "../", "~")) or "\\" in value
    # os.path: Path.is_dir raises an error for a name that is too long for a file, but it can be a hub name
    return str(folder) if looks_like_path or os.path.isdir(folder) else value  # noqa: PTH112 - see above


def _read_patterns(value: Any) -> Any:
    """Return one pattern or a list of patterns as a tuple; an empty key means no patterns."""
    if value is None:
        return ()
    patterns = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    if not all(isinstance(pattern, str) for pattern in patterns):
        raise ValueError("expected a pattern or a list of patterns")
    return patterns


def _expand_environment(value: Any) -> Any:
    """Replace each ``${NAME}`` with the environment variable of that name."""

    def lookup(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ValueError(f"expected the environment variable {match[1]} to be set")
        return os.environ[match[1]]

    return _VARIABLE.sub(lookup, value) if isinstance(value, str) else value


def _check_option(value: Any) -> Any:
    if not isinstance(value, (str, int, float)):  # a bool is an int
        raise ValueError("expected a string, a number, true or false")
    return _expand_environment(value)


def _check_milvus_uri(value: Any, info: ValidationInfo) -> Any:
    value = _expand_environment(value)
    if isinstance(value, str) and "://" in value:
        if not _is_server_url(value):
            raise ValueError("expected an http(s) URL with a host, such as http://localhost:19530")
        return value
    if not isinstance(value, str) or not value.endswith(".db"):
        raise ValueError("expected a path that ends in .db or an http(s):// URL")
    return str(_resolve_path(value, info))


def _check_index_type(value: str) -> str:
    """Accept any index type: which of them exist depends on the Milvus that is connected."""
    if value != "auto" and not re.fullmatch(r"[A-Z][A-Z0-9_]*", value):
        raise ValueError("expected 'auto' or an index type of Milvus, such as FLAT, HNSW or IVF_FLAT")
    return value


def _check_dataset_name(value: Any) -> Any:
    # Milvus accepts no other characters in the name of a collection
    if not isinstance(value, str) or not _DATASET_NAME.fullmatch(value):
        raise ValueError("expected 1 to 100 letters (a-z, A-Z), digits and _, without a digit first")
    return value


def _check_template(value: Any) -> Any:
    if not isinstance(value, str) or "{text}" not in value:
        raise ValueError("expected a string that contains {text}, such as 'a photo of {text}'")
    return value


def _read_countries(value: Any) -> Any:
    """Return ISO codes of countries as a tuple; an empty key means no countries."""
    codes = () if value is None else (value,) if isinstance(value, str) else value
    if not isinstance(codes, (list, tuple)) or not all(
        isinstance(code, str) and code in _HOLIDAY_COUNTRIES for code in codes
    ):
        raise ValueError("expected ISO codes of countries that have holidays, such as [US, IN]")
    return tuple(codes)


def _check_server_url(value: str) -> str:
    """Accept the URL of a server to which a path can be appended."""
    if not _is_server_url(value):
        raise ValueError("expected an http(s) URL without a query, such as https://nominatim.example.org")
    return value


def _is_server_url(value: str) -> bool:
    """Whether a text is the URL of a server, possibly with a path."""
    try:
        parts = urlsplit(value)
        is_server = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # the port is not a number, or an IPv6 address is incomplete
        return False
    is_plain = value.isascii() and value.isprintable() and not (parts.query or parts.fragment)
    return bool(is_server and is_plain)


def _check_header(value: str) -> str:
    """Accept a valid value of an HTTP header."""
    if not value.strip() or not value.isprintable() or not all(c <= "\xff" for c in value):
        raise ValueError("expected one line of Latin-1 characters, as an HTTP header requires")
    return value


def _require_auto_or_number(most: int) -> BeforeValidator:
    def check(value: Any) -> Any:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if value == "auto" or (is_number and 1 <= value <= most):
            return value
        raise ValueError(f"expected 'auto' or a whole number from 1 to {most}")

    return BeforeValidator(check)


ResolvedPath = Annotated[Path, BeforeValidator(_resolve_path)]
ResolvedPaths = Annotated[tuple[Path, ...], BeforeValidator(_resolve_paths)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_read_patterns)]
ModelName = Annotated[str, BeforeValidator(_resolve_model)]
OptionalPath = Annotated[Path | None, BeforeValidator(_resolve_optional_path)]
Options = dict[str, Annotated[str | int | float | bool, BeforeValidator(_check_option)]]
ThreadCount = Annotated[int | Literal["auto"], _require_auto_or_number(256)]
ClusterCount = Annotated[int | Literal["auto"], _require_auto_or_number(65_536)]  # the limit of Milvus


class _Section(BaseModel):
    # strict: the string "yes" must not become true, nor the string "20" a number
    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, strict=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _replace_none(cls, value: Any) -> Any:
        """Use the defaults for a section without keys, such as one whose keys are all commented out."""
        return {} if value is None else value


class DatasetConfig(_Section):
    """The photos, and the folder of the tables that the steps write."""

    name: Annotated[str, BeforeValidator(_check_dataset_name)] = "photos"
    images: ResolvedPaths = Field(default="data/photos")  # type: ignore[assignment]  # validated into paths
    exclude: Patterns = ()
    processed: ResolvedPath = Field(default="data/processed")  # type: ignore[assignment]

    @property
    def folder(self) -> Path:
        """The folder of this dataset's tables."""
        return self.processed / self.name


class ModelsConfig(_Section):
    """The models, and the device and precision they run with."""

    clip: ModelName = "openai/clip-vit-base-patch32"
    vit: ModelName = "google/vit-base-patch16-224"
    faces: ModelName = "buffalo_l"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    runtime: Literal["auto", "torch", "openvino"] = "auto"


class ExtractionConfig(_Section):
    """How photos are decoded and passed to the models."""

    batch_size: int = Field(default=32, ge=1, le=4096)
    workers: ThreadCount = "auto"
    preview_size: int = Field(default=1024, ge=256, le=8192)
    max_megapixels: float = Field(default=200.0, gt=0, le=10_000)
    top_classes: int = Field(default=5, ge=1, le=1000)


class FacesConfig(_Section):
    """How faces are detected, selected and clustered."""

    det_size: int = Field(default=640, ge=64, le=4096, multiple_of=32)
    min_score: float = Field(default=0.5, ge=0, le=1)
    min_size: int = Field(default=32, ge=1, le=4096)
    cluster_distance: float = Field(default=0.5, gt=0, lt=2)


class GeoConfig(_Section):
    """How positions are converted to addresses, and which dates are used."""

    geocoder: str = "offline"  # checked by `imagesearch.geo.check_geocoder`: geopy has the other names
    options: Options = Field(default={}, repr=False)
    nominatim_url: Annotated[str, AfterValidator(_check_server_url)] = "https://nominatim.openstreetmap.org"
    user_agent: Annotated[str, AfterValidator(_check_header)] = "imagesearch"
    language: str = "en"
    date_from_name: bool = True


class IndexParams(_Section):
    """Parameters for building an index; each index type reads its own."""

    nlist: ClusterCount = "auto"
    M: int = Field(default=16, ge=2, le=2048)
    efConstruction: int = Field(default=200, ge=8, le=100_000)  # noqa: N815 - the name in Milvus


class IndexSearchParams(_Section):
    """Parameters for searching an index."""

    nprobe: ClusterCount = "auto"
    ef: int = Field(default=512, ge=1, le=32_768)


class IndexConfig(_Section):
    """How Milvus indexes the vectors. The options are passed to Milvus as they are."""

    type: Annotated[str, AfterValidator(_check_index_type)] = "auto"
    params: IndexParams = IndexParams()
    search_params: IndexSearchParams = IndexSearchParams()
    options: Options = {}
    search_options: Options = {}


class TlsConfig(_Section):
    """Certificates for the connection to a server."""

    ca: OptionalPath = None
    certificate: OptionalPath = None
    key: OptionalPath = None
    server_name: str = ""

    @model_validator(mode="after")
    def _check_pair(self) -> TlsConfig:
        if bool(self.certificate) != bool(self.key) or (self.certificate and not self.ca):
            raise ValueError("expected certificate, key and ca together, or ca alone")
        return self


class MilvusConfig(_Section):
    """The Milvus Lite file or server that stores the collections, and its index."""

    uri: Annotated[str, BeforeValidator(_check_milvus_uri)] = Field(default="data/milvus.db", repr=False)
    token: Annotated[str, BeforeValidator(_expand_environment)] = Field(default="", repr=False)
    database: str = ""
    tls: TlsConfig = Field(default_factory=dict)  # type: ignore[assignment]  # validated later, with the context
    timeout: float = Field(default=30.0, ge=1, le=3600)
    consistency: Literal["Strong", "Bounded", "Session", "Eventually"] = "Bounded"
    shards: int = Field(default=1, ge=1, le=64)
    replicas: int = Field(default=1, ge=1, le=64)
    index: IndexConfig = IndexConfig()

    @property
    def is_file(self) -> bool:
        """Whether ``uri`` is a local Milvus Lite file."""
        return "://" not in self.uri

    @property
    def is_missing(self) -> bool:
        """Whether ``uri`` is a local file that does not exist yet."""
        return self.is_file and not os.path.exists(self.uri)  # noqa: PTH110 - any text can be given

    @property
    def display_uri(self) -> str:
        """``uri`` for messages, without a user name and password."""
        scheme, separator, rest = self.uri.partition("://")
        return self.uri if self.is_file else f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _check_saved_queries(value: Any) -> Any:
    if isinstance(value, dict):
        for name, sentence in value.items():
            if not re.fullmatch(r"[\w-]+", str(name)):
                raise ValueError("expected names of letters, digits, _ and - in saved queries")
            if not isinstance(sentence, str) or not sentence.strip() or sentence.lstrip().startswith("@"):
                raise ValueError(f"expected a sentence for {name}")
        return {str(name): sentence.strip() for name, sentence in value.items()}
    return value


class SearchConfig(_Section):
    """The defaults of a search."""

    top_k: int = Field(default=10, ge=1, le=1000)
    strategy: Literal["filter", "union", "hybrid", "semantic"] = "filter"
    ranker: Literal["rrf", "weighted"] = "rrf"
    min_score: float | None = Field(default=None, ge=-1, le=1)
    min_fit: float | None = Field(default=None, ge=0, le=1)
    template: Annotated[str, BeforeValidator(_check_template)] = "a photo of {text}"
    saved: Annotated[dict[str, str], BeforeValidator(_check_saved_queries)] = {}
    holiday_countries: Annotated[tuple[str, ...], BeforeValidator(_read_countries)] = (
        *("US", "GB", "CA", "IE", "IN", "IL", "CN", "JP", "KR", "TH", "VN", "IR", "ID"),
        *("AU", "NZ", "ZA", "MX", "BR", "DE", "FR", "IT", "ES", "PT", "NL", "SE", "PL"),
    )


class WatchConfig(_Section):
    """How ``01_extract_features.py --watch`` finds changes."""

    polling: bool = False
    list_seconds: int = Field(default=600, ge=10, le=86_400)


class Config(_Section):
    """All sections of config.yaml."""

    dataset: DatasetConfig = Field(default_factory=dict)  # type: ignore[arg-type]  # validated later, with the context
    models: ModelsConfig = Field(default_factory=dict)  # type: ignore[arg-type]
    extraction: ExtractionConfig = ExtractionConfig()
    faces: FacesConfig = FacesConfig()
    geo: GeoConfig = GeoConfig()
    milvus: MilvusConfig = Field(default_factory=dict)  # type: ignore[arg-type]
    search: SearchConfig = SearchConfig()
    watch: WatchConfig = WatchConfig()


def load_config(file: str | Path, assignments: Iterable[str] = (), dataset: str | None = None) -> Config:
    """Read and validate a config file.

    Parameters
    ----------
    file
        A YAML file. Relative paths in it are relative to its folder. Missing keys have their defaults.
    assignments
        Settings that override the file, each as ``"section.key=value"`` with the value in YAML.
    dataset
        Overrides ``dataset.name``.

    Raises
    ------
    UserError
        If the file is missing or is not valid YAML, a key is unknown, or a value is not valid.
    """
    path, assignments = Path(file), list(assignments)
    raw = read_config_file(path, assignments, dataset)
    try:
        return Config.model_validate(raw, context={"base": path.absolute().parent})
    except ValidationError as error:
        source = name_source(error, path, assignments, dataset)
        raise UserError(f"{source}{describe_mistakes(error, Config)}") from None
