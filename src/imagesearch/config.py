"""The settings of config.yaml as typed, frozen models.

Each section is a model below, with its defaults and ranges. `load_config` reads and validates a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from imagesearch.config_file import read_config_file
from imagesearch.config_messages import describe_mistakes, name_source
from imagesearch.config_values import (
    ClusterCount,
    Columns,
    DatasetName,
    HeaderValue,
    HolidayCountries,
    HostPorts,
    IndexType,
    MilvusUri,
    ModelName,
    OptionalPath,
    Options,
    Patterns,
    RayAddress,
    ResolvedPath,
    ResolvedPaths,
    SavedQueries,
    Secret,
    ServerUrl,
    Template,
    ThreadCount,
    TileUrl,
)
from imagesearch.errors import UserError


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

    name: DatasetName = "photos"
    images: ResolvedPaths = Field(default="data/photos")  # type: ignore[assignment]  # validated into paths
    exclude: Patterns = ()
    column: str = ""
    id_column: str = ""
    columns: Columns = ()
    keep: Literal["full", "preview"] = "full"
    cache_gb: float = Field(default=20.0, gt=0, le=100_000)
    allow_hosts: HostPorts = ()
    processed: ResolvedPath = Field(default="data/processed")  # type: ignore[assignment]

    @property
    def folder(self) -> Path:
        """The folder of this dataset's tables."""
        return self.processed / self.name


class DownloadsConfig(_Section):
    """How photos are downloaded whose addresses are in a list."""

    concurrency: int = Field(default=16, ge=1, le=256)
    per_host: int = Field(default=6, ge=1, le=256)
    first_byte_seconds: float = Field(default=20.0, gt=0, le=3600)
    seconds: float = Field(default=120.0, gt=0, le=86_400)
    retries: int = Field(default=3, ge=0, le=10)
    max_wait_seconds: float = Field(default=60.0, ge=0, le=3600)
    max_redirects: int = Field(default=5, ge=0, le=20)
    max_megabytes: float = Field(default=100.0, gt=0, le=100_000)


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
    engine: Literal["local", "ray"] = "local"
    ray_address: RayAddress = ""


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
    nominatim_url: ServerUrl = "https://nominatim.openstreetmap.org"
    user_agent: HeaderValue = "imagesearch"
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

    type: IndexType = "auto"
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

    uri: MilvusUri = Field(default="data/milvus.db", repr=False)
    token: Secret = Field(default="", repr=False)
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


class SearchConfig(_Section):
    """The defaults of a search."""

    top_k: int = Field(default=10, ge=1, le=1000)
    strategy: Literal["filter", "union", "hybrid", "semantic"] = "filter"
    ranker: Literal["rrf", "weighted"] = "rrf"
    min_score: float | None = Field(default=None, ge=-1, le=1)
    min_fit: float | None = Field(default=None, ge=0, le=1)
    template: Template = "a photo of {text}"
    saved: SavedQueries = {}
    holiday_countries: HolidayCountries = (
        *("US", "GB", "CA", "IE", "IN", "IL", "CN", "JP", "KR", "TH", "VN", "IR", "ID"),
        *("AU", "NZ", "ZA", "MX", "BR", "DE", "FR", "IT", "ES", "PT", "NL", "SE", "PL"),
    )


class ApiConfig(_Section):
    """What the clients of script 10 may open."""

    root: OptionalPath = None


class WatchConfig(_Section):
    """How ``01_extract_features.py --watch`` finds changes, and whether it clusters faces."""

    polling: bool = False
    list_seconds: int = Field(default=600, ge=10, le=86_400)
    cluster: bool = True


class WebConfig(_Section):
    """What the pages of the web app load from another server."""

    map_tiles: TileUrl = Field(default="", repr=False)
    map_attribution: str = "© OpenStreetMap contributors"


class Config(_Section):
    """All sections of config.yaml."""

    dataset: DatasetConfig = Field(default_factory=dict)  # type: ignore[arg-type]  # validated later, with the context
    downloads: DownloadsConfig = DownloadsConfig()
    models: ModelsConfig = Field(default_factory=dict)  # type: ignore[arg-type]
    extraction: ExtractionConfig = ExtractionConfig()
    faces: FacesConfig = FacesConfig()
    geo: GeoConfig = GeoConfig()
    milvus: MilvusConfig = Field(default_factory=dict)  # type: ignore[arg-type]
    search: SearchConfig = SearchConfig()
    api: ApiConfig = Field(default_factory=dict)  # type: ignore[arg-type]
    watch: WatchConfig = WatchConfig()
    web: WebConfig = WebConfig()

    @property
    def for_workers(self) -> Config:
        """This config without the settings of servers, which have tokens and keys."""
        sections = ("milvus", "geo", "api", "web")
        return self.model_copy(
            update={name: type(getattr(self, name)).model_construct() for name in sections}
        )


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
