"""docs/deploy/: both files are valid, pinned and without passwords, and agree with docs/deployment.md.

Docker and Kubernetes are not used. The lists of keys were compared with the specification and the chart.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import yaml
from conftest import ROOT

from imagesearch.store.dialect import choose_dialect

DEPLOYMENT = (ROOT / "docs/deployment.md").read_text("utf-8")
COMPOSE_TEXT = (ROOT / "docs/deploy/compose.yaml").read_text("utf-8")
VALUES_TEXT = (ROOT / "docs/deploy/helm-values.yaml").read_text("utf-8")
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
VALUES = yaml.safe_load(VALUES_TEXT)

COMPOSE_KEYS = {"configs", "include", "name", "networks", "secrets", "services", "volumes"}
_SERVICE_KEYS = """
build cap_add cap_drop cgroup_parent command configs container_name cpu_shares cpus depends_on deploy
devices dns entrypoint env_file environment expose extends external_links extra_hosts group_add
healthcheck hostname image init ipc labels logging mem_limit mem_reservation memswap_limit network_mode
networks pid pids_limit platform ports privileged profiles pull_policy read_only restart secrets
security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits
user volumes volumes_from working_dir
"""
SERVICE_KEYS = set(_SERVICE_KEYS.split())
HEALTH_KEYS = {"disable", "interval", "retries", "start_interval", "start_period", "test", "timeout"}
CONDITIONS = {"service_completed_successfully", "service_healthy", "service_started"}

CHART_VERSION = "5.0.19"
# Keys in values.yaml of the chart milvus, version 5.0.19, and of the charts in it: minio 8.0.17, etcd 8.12.0.
# The keys at ".*" are defined by Kubernetes.
_CHART_KEYS = """
cluster.enabled
image.all.repository image.all.tag image.all.pullPolicy
extraConfigFiles.user.yaml
service.type service.port service.portName service.nodePort service.annotations service.labels
metrics.enabled metrics.serviceMonitor.enabled
livenessProbe.enabled livenessProbe.initialDelaySeconds livenessProbe.failureThreshold
readinessProbe.enabled readinessProbe.initialDelaySeconds readinessProbe.failureThreshold
log.level log.format log.file.maxSize log.file.maxAge log.file.maxBackups log.persistence.enabled
proxy.enabled proxy.replicas proxy.resources.* proxy.extraEnv
mixCoordinator.enabled mixCoordinator.replicas mixCoordinator.resources.* mixCoordinator.extraEnv
queryNode.enabled queryNode.replicas queryNode.resources.* queryNode.extraEnv queryNode.disk.enabled
dataNode.enabled dataNode.replicas dataNode.resources.* dataNode.extraEnv
indexNode.enabled
streamingNode.replicas streamingNode.resources.* streamingNode.extraEnv
streaming.enabled streaming.woodpecker.embedded streaming.woodpecker.storage.type
woodpecker.enabled pulsar.enabled pulsarv3.enabled kafka.enabled
etcd.enabled etcd.replicaCount etcd.image.repository etcd.image.tag etcd.persistence.enabled
etcd.persistence.storageClass etcd.persistence.size etcd.resources.*
minio.enabled minio.mode minio.replicas minio.image.repository minio.image.tag minio.existingSecret
minio.persistence.enabled minio.persistence.storageClass minio.persistence.size minio.resources.*
"""
CHART_KEYS = set(_CHART_KEYS.split())
MILVUS_PARTS = ("proxy", "mixCoordinator", "queryNode", "dataNode", "streamingNode")
STORAGE_PARTS = ("etcd", "minio")

_SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|ACCESS_?KEY$", re.IGNORECASE)
_REQUIRED_VARIABLE = re.compile(r"\$\{(\w+):\?[^}]+\}")
_PINNED = re.compile(r"(v?\d+\.\d+\.\d+(-r\d+)?|RELEASE\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)")
_DURATION = re.compile(r"(\d+(h|m|s|ms))+")
_BYTES = re.compile(r"\d+[bkmg]")
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|[kMGTPE]|[KMGTPE]i)?")
_FACTORS = {None: Decimal(1), "m": Decimal("0.001"), "k": Decimal(1000), "Ki": Decimal(1024)}
_FACTORS |= {letter: Decimal(1000) ** power for power, letter in enumerate("MGTPE", 2)}
_FACTORS |= {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("MGTPE", 2)}


# --- Docker Compose ----------------------------------------------------------------------------------------


def list_compose_problems(compose: dict[str, Any]) -> list[str]:
    unknown = {key for key in compose if not key.startswith("x-")} - COMPOSE_KEYS
    problems = [f"unknown key {key}" for key in unknown]
    services, declared = compose["services"], set(compose.get("volumes") or {})
    used = {mount.partition(":")[0] for service in services.values() for mount in service.get("volumes", [])}
    problems += [f"volume {name} is not declared, or not used" for name in declared ^ used]
    for name, service in services.items():
        found = [
            *(f"unknown key {key}" for key in service.keys() - SERVICE_KEYS),
            *check_image(service.get("image", "")),
            *check_health(service.get("healthcheck") or {}),
            *check_limits(service),
            *check_dependencies(service.get("depends_on") or {}, services),
            *check_environment(service.get("environment") or {}),
        ]
        problems += [f"{name}: {problem}" for problem in found]
    return problems


def check_image(image: str) -> Iterator[str]:
    repository, _, tag = image.rpartition(":")
    if not repository or not _PINNED.fullmatch(tag):
        yield f"image {image!r} is not pinned to a version"


def check_health(health: dict[str, Any]) -> Iterator[str]:
    if health.get("disable") or not health.get("test") or health["test"][0] not in ("CMD", "CMD-SHELL"):
        yield "no health check"
    yield from (f"unknown key healthcheck.{key}" for key in health.keys() - HEALTH_KEYS)
    for key in ("interval", "timeout", "start_period"):
        if not _DURATION.fullmatch(str(health.get(key))):
            yield f"healthcheck.{key} is not a duration"


def check_limits(service: dict[str, Any]) -> Iterator[str]:
    if service.get("restart") not in ("always", "unless-stopped"):
        yield "is not restarted"
    if not _BYTES.fullmatch(str(service.get("mem_limit"))):
        yield "no limit of memory"
    options = (service.get("logging") or {}).get("options") or {}
    if not {"max-size", "max-file"} <= options.keys():
        yield "no limit of logs"
    for port in service.get("ports", []):
        if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", str(port)):
            yield f"port {port} is not published on loopback alone"


def check_dependencies(dependencies: dict[str, Any], services: dict[str, Any]) -> Iterator[str]:
    for name, dependency in dependencies.items():
        if name not in services:
            yield f"depends on {name}, which is not a service"
        if dependency.get("condition") not in CONDITIONS:
            yield f"unknown condition for {name}"


def check_environment(environment: dict[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if not isinstance(value, str):
            yield f"{name} is not a text"
        elif _SECRET.search(name) and not _REQUIRED_VARIABLE.fullmatch(value):
            yield f"{name} is not a required variable"


def test_the_compose_file_is_valid() -> None:
    assert not list_compose_problems(COMPOSE)


BROKEN_COMPOSE = {
    "a misspelled key of a service": ("services.etcd.helthcheck", {}),
    "a misspelled key": ("volume", {}),
    "the newest image": ("services.minio.image", "milvusdb/minio:latest"),
    "an image without a tag": ("services.minio.image", "milvusdb/minio"),
    "a minor version": ("services.milvus.image", "milvusdb/milvus:v2.6"),
    "no health check": ("services.milvus.healthcheck", None),
    "a disabled health check": ("services.milvus.healthcheck.disable", True),
    "a misspelled duration": ("services.milvus.healthcheck.interval", "15 seconds"),
    "no restart": ("services.etcd.restart", "no"),
    "no limit of memory": ("services.etcd.mem_limit", None),
    "unlimited logs": ("services.minio.logging", {"driver": "json-file"}),
    "a port on all interfaces": ("services.milvus.ports", ["19530:19530"]),
    "an undeclared volume": ("services.etcd.volumes", ["etcd-data:/etcd"]),
    "an unused volume": ("volumes.logs", None),
    "a dependency on nothing": ("services.milvus.depends_on.s3", {"condition": "service_healthy"}),
    "an unknown condition": ("services.milvus.depends_on.etcd.condition", "healthy"),
    "a password": ("services.minio.environment.MINIO_ROOT_PASSWORD", "minioadmin"),
    "a default password": ("services.milvus.environment.MINIO_SECRET_ACCESS_KEY", "${MINIO_PASSWORD:-x}"),
    "a truth value in the environment": ("services.milvus.environment.MQ_TYPE", True),
}


@pytest.mark.parametrize(("path", "value"), BROKEN_COMPOSE.values(), ids=BROKEN_COMPOSE)
def test_a_broken_compose_file_is_found(path: str, value: Any) -> None:
    assert len(list_compose_problems(replace_value(COMPOSE, path, value))) >= 1


def replace_value(tree: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of a tree with another value at a dotted path."""
    changed = copy.deepcopy(tree)
    *parents, last = path.split(".")
    node = changed
    for key in parents:
        node = node[key]
    node[last] = value
    return changed


def test_only_milvus_has_a_port_and_it_requires_a_password() -> None:
    services = COMPOSE["services"]
    assert {name for name, service in services.items() if service.get("ports")} == {"milvus"}
    environment = services["milvus"]["environment"]
    assert environment["COMMON_SECURITY_AUTHORIZATIONENABLED"] == "true"
    assert environment["ETCD_ENDPOINTS"].partition(":")[0] in services
    assert environment["MINIO_ADDRESS"].partition(":")[0] in services
    storage = services["minio"]["environment"]
    assert environment["MINIO_ACCESS_KEY_ID"] == storage["MINIO_ROOT_USER"]
    assert environment["MINIO_SECRET_ACCESS_KEY"] == storage["MINIO_ROOT_PASSWORD"]


def test_the_page_sets_each_variable_that_compose_requires() -> None:
    required = set(_REQUIRED_VARIABLE.findall(COMPOSE_TEXT))
    assert required == {"MINIO_PASSWORD", "MILVUS_ROOT_PASSWORD"}
    (names,) = re.findall(r"for name in ([A-Z_ ]+);.*> docs/deploy/\.env", DEPLOYMENT)
    assert required <= set(names.split())
    assert "docs/deploy/.env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


# --- Helm --------------------------------------------------------------------------------------------------


def list_paths(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted path and the value of each leaf."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from list_paths(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def list_values_problems(values: dict[str, Any]) -> list[str]:
    problems = []
    for path, value in list_paths(values):
        is_resource = ".resources." in path
        known = re.sub(r"\.resources\..*", ".resources.*", path)
        if known not in CHART_KEYS:
            problems.append(f"unknown key {path}")
        if is_resource or path.endswith(".size"):
            problems += [f"{path}: {value!r} is not a quantity"] * (parse_quantity(value) is None)
        if path.endswith(".tag"):
            problems += [f"{path}: {value!r} is not a version"] * (not _PINNED.fullmatch(str(value)))
        if path.endswith(".extraEnv"):
            problems += [f"{path}.{problem}" for problem in check_variables(value)]
    for part in (*MILVUS_PARTS, *STORAGE_PARTS):
        problems += [f"{part}: {problem}" for problem in check_resources(values[part].get("resources") or {})]
    for part in STORAGE_PARTS:
        is_kept = values[part]["persistence"].get("enabled") and values[part]["persistence"].get("size")
        problems += [f"{part}: no volume of a given size"] * (not is_kept)
    return problems


def parse_quantity(value: Any) -> Decimal | None:
    """Return a quantity of Kubernetes as a number; None if it is not valid."""
    match = _QUANTITY.fullmatch(str(value))
    return Decimal(match[1]) * _FACTORS[match[2]] if match else None


def check_variables(variables: list[dict[str, Any]]) -> Iterator[str]:
    for variable in variables:
        reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
        if variable.keys() != {"name", "valueFrom"} or reference.keys() != {"name", "key"}:
            yield f"{variable.get('name')}: not from a Secret"


def check_resources(resources: dict[str, Any]) -> Iterator[str]:
    for name in ("cpu", "memory"):
        request, limit = (
            parse_quantity(resources.get(kind, {}).get(name, "")) for kind in ("requests", "limits")
        )
        if request is None or limit is None or request > limit:
            yield f"{name}: expected a request and a limit that is not smaller"
    yield from (f"unknown key resources.{kind}" for kind in resources.keys() - {"requests", "limits"})


def test_the_values_for_helm_are_valid() -> None:
    assert not list_values_problems(VALUES)


BROKEN_VALUES = {
    "a misspelled key": ("queryNode.replica", 2),
    "a key of another chart": ("standalone.messageQueue", "woodpecker"),
    "a key at another place": ("minio.size", "50Gi"),
    "a password": ("minio.secretKey", "minioadmin"),
    "a password in a variable": ("proxy.extraEnv", [{"name": "MINIO_SECRET_ACCESS_KEY", "value": "x"}]),
    "the newest image": ("image.all.tag", "latest"),
    "a size with a unit of Docker": ("minio.persistence.size", "50g"),
    "a size with a blank": ("etcd.persistence.size", "10 Gi"),
    "no volume": ("etcd.persistence.enabled", False),
    "no limits": ("dataNode.resources", {"requests": {"cpu": 1, "memory": "2Gi"}}),
    "a limit below the request": ("proxy.resources.limits.memory", "512Mi"),
    "a misspelled kind of limit": ("proxy.resources.limit", {"cpu": 1}),
}


@pytest.mark.parametrize(("path", "value"), BROKEN_VALUES.values(), ids=BROKEN_VALUES)
def test_broken_values_are_found(path: str, value: Any) -> None:
    values = copy.deepcopy(VALUES)
    values.setdefault("standalone", {})
    assert len(list_values_problems(replace_value(values, path, value))) >= 1


@pytest.mark.parametrize(
    ("text", "number"),
    [("2", 2), ("500m", Decimal("0.5")), ("10Gi", 10 * 2**30), ("1k", 1000), ("1g", None), ("", None)],
)
def test_quantities_are_those_of_kubernetes(text: str, number: Decimal | None) -> None:
    assert parse_quantity(text) == number


def test_all_parts_of_the_cluster_use_the_secret_that_the_page_creates() -> None:
    variables = [variable for part in MILVUS_PARTS for variable in VALUES[part]["extraEnv"]]
    references = [variable["valueFrom"]["secretKeyRef"] for variable in variables]
    (secret,) = {VALUES["minio"]["existingSecret"]} | {reference["name"] for reference in references}
    assert f"secret generic {secret} " in DEPLOYMENT
    keys = {reference["key"] for reference in references}
    assert keys == set(re.findall(r"--from-literal=(\w+)=", DEPLOYMENT)) >= {"accesskey", "secretkey"}
    for part in MILVUS_PARTS:
        names = {variable["name"] for variable in VALUES[part]["extraEnv"]}
        assert names >= {"MINIO_ACCESS_KEY_ID", "MINIO_SECRET_ACCESS_KEY"}, part
    settings = yaml.safe_load(VALUES["extraConfigFiles"]["user.yaml"])
    assert settings == {"common": {"security": {"authorizationEnabled": True}}}


# --- versions ----------------------------------------------------------------------------------------------


def test_the_version_of_milvus_is_the_same_everywhere_and_known_to_the_program() -> None:
    repository, _, tag = COMPOSE["services"]["milvus"]["image"].rpartition(":")
    assert VALUES["image"]["all"] == {"repository": repository, "tag": tag}
    assert f"Milvus {tag.removeprefix('v')}" in DEPLOYMENT
    assert set(re.findall(r"(?<![\w.])v?2\.6\.\d+", DEPLOYMENT)) == {tag.removeprefix("v")}
    dialect = choose_dialect(tag, "")
    assert "IVF_RABITQ" in dialect.index_types  # the row of 2.6
    assert not dialect.is_lite and dialect.has_bm25
    storage = COMPOSE["services"]["minio"]["image"]
    assert storage == ":".join(VALUES["minio"]["image"][key] for key in ("repository", "tag"))


def test_the_commands_name_the_version_of_the_chart() -> None:
    for text in (DEPLOYMENT, VALUES_TEXT):
        assert re.findall(r"helm install .*--version (\S+)", text) == [CHART_VERSION]
