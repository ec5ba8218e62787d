"""The types of the settings in config.yaml: how a value is checked and what it becomes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from imagesearch.bucket_paths import parse_bucket
from imagesearch.config_urls import check_server_url, check_tile_url, is_server_url

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
_HOST_PORT = re.compile(r"([^\s/:@\[\]]+|\[[0-9a-fA-F:.]+\]):[1-9]\d{0,4}")
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
    are_texts = (isinstance(v, (str, Path)) for v in values)
    buckets = (parse_bucket(v) if is_text else None for v, is_text in zip(values, are_texts, strict=True))
    return tuple(bucket or _resolve_path(v, info) for v, bucket in zip(values, buckets, strict=True))


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


def _read_columns(value: Any) -> Any:
    """Return the names of columns in lower case as a tuple; an empty key means none."""
    names = () if value is None else (value,) if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) and n.strip() for n in names):
        raise ValueError("expected the name of a column or a list of names")
    return tuple(name.strip().lower() for name in names)


def _read_host_ports(value: Any) -> Any:
    """Return hosts with their ports as a tuple, in lower case; an empty key means none."""
    hosts = () if value is None else (value,) if isinstance(value, str) else value
    if not isinstance(hosts, (list, tuple)) or not all(
        isinstance(host, str) and _HOST_PORT.fullmatch(host) and int(host.rpartition(":")[2]) <= 65_535
        for host in hosts
    ):
        raise ValueError("expected hosts with their ports, such as [photos.local:8080]")
    return tuple(host.lower() for host in hosts)


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
        if not is_server_url(value):
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


def _check_header(value: str) -> str:
    """Accept a valid value of an HTTP header."""
    if not value.strip() or not value.isprintable() or not all(c <= "\xff" for c in value):
        raise ValueError("expected one line of Latin-1 characters, as an HTTP header requires")
    return value


def _check_ray_address(value: str) -> str:
    """Accept an empty text, ``auto``, or a host and a port."""
    if value in ("", "auto") or _HOST_PORT.fullmatch(value):
        return value
    raise ValueError("expected a host and a port, such as 192.168.1.10:6379, or auto; empty for this machine")


def _require_auto_or_number(most: int) -> BeforeValidator:
    def check(value: Any) -> Any:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if value == "auto" or (is_number and 1 <= value <= most):
            return value
        raise ValueError(f"expected 'auto' or a whole number from 1 to {most}")

    return BeforeValidator(check)


def _check_saved_queries(value: Any) -> Any:
    if isinstance(value, dict):
        for name, sentence in value.items():
            if not re.fullmatch(r"[\w-]+", str(name)):
                raise ValueError("expected names of letters, digits, _ and - in saved queries")
            if not isinstance(sentence, str) or not sentence.strip() or sentence.lstrip().startswith("@"):
                raise ValueError(f"expected a sentence for {name}")
        return {str(name): sentence.strip() for name, sentence in value.items()}
    return value


ResolvedPath = Annotated[Path, BeforeValidator(_resolve_path)]
ResolvedPaths = Annotated[tuple[Path, ...], BeforeValidator(_resolve_paths)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_read_patterns)]
ModelName = Annotated[str, BeforeValidator(_resolve_model)]
OptionalPath = Annotated[Path | None, BeforeValidator(_resolve_optional_path)]
Options = dict[str, Annotated[str | int | float | bool, BeforeValidator(_check_option)]]
ThreadCount = Annotated[int | Literal["auto"], _require_auto_or_number(256)]
ClusterCount = Annotated[int | Literal["auto"], _require_auto_or_number(65_536)]  # the limit of Milvus
DatasetName = Annotated[str, BeforeValidator(_check_dataset_name)]
RayAddress = Annotated[str, AfterValidator(_check_ray_address)]
ServerUrl = Annotated[str, AfterValidator(check_server_url)]
TileUrl = Annotated[str, AfterValidator(check_tile_url)]
HeaderValue = Annotated[str, AfterValidator(_check_header)]
IndexType = Annotated[str, AfterValidator(_check_index_type)]
MilvusUri = Annotated[str, BeforeValidator(_check_milvus_uri)]
Secret = Annotated[str, BeforeValidator(_expand_environment)]
Template = Annotated[str, BeforeValidator(_check_template)]
SavedQueries = Annotated[dict[str, str], BeforeValidator(_check_saved_queries)]
HolidayCountries = Annotated[tuple[str, ...], BeforeValidator(_read_countries)]
HostPorts = Annotated[tuple[str, ...], BeforeValidator(_read_host_ports)]
Columns = Annotated[tuple[str, ...], BeforeValidator(_read_columns)]
