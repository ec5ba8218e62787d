"""Steps 01, 02, 04 and 05 in one run, with one summary."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from imagesearch.config import Config
from imagesearch.faces import People, cluster_people, detect_faces, get_pack_id
from imagesearch.features import check_model, extract_features
from imagesearch.geo import GeoSummary, check_geocoder, extract_geo
from imagesearch.pipeline import Dataset, Progress, StepSummary
from imagesearch.store import BuildReport, Store, build_collections, check_milvus


@dataclass(frozen=True)
class RunSummary:
    """The result of a run of all steps.

    Attributes
    ----------
    dataset : str
        The name of the dataset.
    features, faces : StepSummary
        The results of steps 01 and 02.
    people : People
        The people found by step 02.
    geo : GeoSummary
        The result of step 04.
    collections : dict of BuildReport
        The results of step 05 by kind of collection: ``clip``, ``vit``, ``faces``.
    seconds : float
        Wall time of the run.
    """

    dataset: str
    features: StepSummary
    faces: StepSummary
    people: People
    geo: GeoSummary
    collections: dict[str, BuildReport]
    seconds: float

    @property
    def failed(self) -> dict[str, str]:
        """Photos that failed: the reason by path. If several steps failed, the reason of the first."""
        return self.geo.photos.failed | self.faces.failed | self.features.failed

    @property
    def damaged(self) -> dict[str, str]:
        """Photos that steps 01 and 02 have read in part: what is missing, by path."""
        return self.faces.damaged | self.features.damaged

    @property
    def skipped(self) -> dict[str, str]:
        """Rows that Milvus cannot store: the reason by path."""
        return {path: why for report in self.collections.values() for path, why in report.skipped.items()}

    @property
    def notes(self) -> list[str]:
        """Remarks for the user, one line each."""
        unnamed = self.people.persons and not any(person.name for person in self.people.persons)
        command = f"03_name_people.py --interactive -n {self.dataset}"
        naming = f"no person has a name yet; run {command}" if unnamed else ""
        return [line for line in (*self.people.list_notes(), self.geo.note, naming) if line]

    def to_dict(self) -> dict[str, Any]:
        """Return the values that ``--json`` prints."""
        return {
            "dataset": self.dataset,
            "features": self.features.to_dict(),
            "faces": self.faces.to_dict() | self.people.to_dict(),
            "geo": self.geo.to_dict(),
            "collections": {kind: report.to_dict() for kind, report in self.collections.items()},
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        lines = [
            f"01 features: {self.features}",
            f"02 faces: {self.faces}",
            f"02 people: {self.people}",
            f"04 places and times: {self.geo}",
            *(f"05 {self.dataset}_{kind}: {report}" for kind, report in self.collections.items()),
        ]
        return "\n".join(lines)


def run_steps(
    config: Config,
    dataset: Dataset,
    *,
    retry_failed: bool = False,
    progress: Progress | None = None,
    report: Callable[[str], object] = lambda line: None,
) -> RunSummary:
    """Bring a dataset's tables and collections up to date with its photos: steps 01, 02, 04 and 05.

    Each step processes only new and changed photos. An interrupted run keeps what was finished, and the next
    run continues there.

    Parameters
    ----------
    config
        Names the models, the geocoder and Milvus.
    dataset
        Its photos and tables.
    retry_failed
        Also process unchanged photos that failed before.
    progress
        Shows photos, places and rows as they are done.
    report
        Is called with each line of the summary, as soon as its step is done.

    Raises
    ------
    UserError
        If a model, a folder of photos or Milvus cannot be reached, or another process is writing. All of
        them are checked before the first step begins.
    """
    start = time.monotonic()

    def show(label: str) -> Any:
        return partial(progress, label=label) if progress else None

    dataset.refuse_undecided_folders()
    check_settings(config, dataset)
    features = extract_features(config, dataset, retry_failed=retry_failed, progress=show("features"))
    report(f"01 features: {features}")
    faces = detect_faces(config, dataset, retry_failed=retry_failed, progress=show("faces"))
    report(f"02 faces: {faces}")
    people = cluster_people(config, dataset)
    report(f"02 people: {people}")
    geo = extract_geo(config, dataset, retry_failed=retry_failed, progress=show("metadata"))
    report(f"04 places and times: {geo}")
    with Store(config.milvus) as store:
        collections = build_collections(config, dataset, store, progress=progress)
    for kind, built in collections.items():
        report(f"05 {config.dataset.name}_{kind}: {built}")
    seconds = time.monotonic() - start
    return RunSummary(config.dataset.name, features, faces, people, geo, collections, seconds)


def check_settings(config: Config, dataset: Dataset) -> None:
    """Check what the config names, to report an error now and not after an hour of extraction.

    Models are found, or downloaded, but not loaded. Milvus is closed again, to free its memory.
    """
    check_milvus(config.milvus)
    check_geocoder(config, dataset)
    dataset.refuse_imported()
    _ = dataset.photos  # reports a missing folder before a missing model
    for kind in ("clip", "vit"):
        check_model(config.models, kind)
    get_pack_id(config.models.faces)
