"""The engine of Ray: photos are decoded by tasks and processed by actors, also on other machines.

Ray Data distributes the work, limits what is in memory, and repeats what a process that died had not finished.
This process lists the photos, and is the only one that writes tables.
"""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagesearch.errors import UserError
from imagesearch.photos import Photo, PreviewCache, share_cores
from imagesearch.pipeline.batches import EngineResult, list_damaged, process_batch
from imagesearch.pipeline.decode_ahead import PreparedPhoto, prepare_photo
from imagesearch.pipeline.pending import PendingWork
from imagesearch.pipeline.ray_cluster import connect, explain_ray_errors
from imagesearch.pipeline.steps import ActiveStep, RunOptions, StepSpec

# Tasks and actors share the cores: each task reserves 0.9 of a core, and all actors on CPUs together the rest.
# Actors that reserved whole cores would leave them idle while they wait for photos.
_CORES_OF_TASK = 0.9
# On CPUs, the number of cores for one actor, and the minimum number of actors.
_CORES_OF_ACTOR, _MIN_ACTORS = 4, 2
# Batches that wait in front of an actor, besides the one that it processes.
_BATCHES_AHEAD = 2
# Maximum number of parts that the photos are divided into, each prepared by one task.
_MAX_PARTS = 4096
# A photo that ends the process in which it is decoded or processed is tried this many times again.
_RETRIES = 3


@dataclass(frozen=True)
class _Item:
    """A photo to process, its content hash if it is known, and the names of the steps that miss it."""

    photo: Photo
    content: bytes | None
    steps: tuple[str, ...]


def process_photos(
    photos: Sequence[Photo],
    work: Sequence[PendingWork],
    previews: PreviewCache,
    hashes: Mapping[int, bytes],
    options: RunOptions,
) -> Generator[EngineResult, None, None]:
    """Yield a result for each batch, in the order in which they are done; see `local_engine.process_photos`.

    Raises
    ------
    UserError
        If Ray is not installed or cannot be reached, or if a worker cannot read a photo that can be read here,
        cannot load a model, or computes with another precision than this machine would.
    """
    ray = connect(options)
    specs = [one.spec for one in work]
    items = [
        _Item(
            photo,
            hashes.get(photo.photo_id),
            tuple(one.spec.name for one in work if photo.photo_id in one.missing),
        )
        for photo in photos
    ]
    with explain_ray_errors():
        dataset = _make_dataset(ray, items, specs, previews, options)
        rows = dataset.iter_rows()
        try:
            for row in rows:
                result = row["result"]
                if isinstance(result, str):
                    raise UserError(result)
                _check_unseen(result)
                yield result
        finally:
            del rows, dataset  # stops the tasks and actors of this run


def _make_dataset(
    ray: Any, items: Sequence[_Item], specs: Sequence[StepSpec], previews: PreviewCache, options: RunOptions
) -> Any:
    """Return a dataset of results, which is computed while it is read."""
    resources = ray.cluster_resources()
    cores, gpus = int(resources.get("CPU", 1)), int(resources.get("GPU", 0))
    if gpus and any(spec.uses_gpu for spec in specs):
        actors, threads, share = gpus, 1, {"num_gpus": 1, "num_cpus": 0}
    else:
        actors = max(min(_MIN_ACTORS, cores), cores // _CORES_OF_ACTOR)
        threads = max(1, cores // actors)
        share = {"num_cpus": (1 - _CORES_OF_TASK) * cores / actors}
    size = max(1, min(options.batch_size, len(items) // (2 * cores)))
    parts = min(-(-len(items) // size), _MAX_PARTS)
    dataset = ray.data.from_items([{"item": item} for item in items], override_num_blocks=parts)
    prepare, retries = _PreparePhotos(specs, previews), {"max_task_retries": _RETRIES, "max_restarts": -1}
    pool = ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=_BATCHES_AHEAD)
    with warnings.catch_warnings():
        # Ray has no other way yet to limit the retries of Ray Data, whose default is to retry without end
        warnings.simplefilter("ignore", DeprecationWarning)
        prepared = dataset.map_batches(prepare, batch_size=None, num_cpus=_CORES_OF_TASK)
        return prepared.map_batches(
            _ProcessBatches,
            fn_constructor_args=(specs, threads),
            batch_size=options.batch_size,
            compute=pool,
            **share,
            **retries,
        )


def _check_unseen(result: EngineResult) -> None:
    """Raise `UserError` if a worker cannot read a photo that this machine can read."""
    for photo in result.unseen:
        if os.access(photo.file, os.R_OK):
            raise UserError(
                f"{photo.file}: can be read here but not by the Ray worker on {result.host}; "
                "all machines must have the folders of photos under the same path (docs/ray.md)"
            )


# --- in the workers ----------------------------------------------------------------------------------------


class _PreparePhotos:
    """Prepares photos for some steps; a task of Ray Data, without a state that must be kept."""

    def __init__(self, specs: Sequence[StepSpec], previews: PreviewCache) -> None:
        self._specs, self._previews = specs, previews

    def __call__(self, batch: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
        try:
            steps = {spec.name: ActiveStep(spec, set(), spec.make_processor()) for spec in self._specs}
        except UserError as error:
            yield {"prepared": _make_column([str(error)])}
            return
        with share_cores(os.cpu_count() or 1):  # as many tasks run at the same time
            for item in batch["item"]:
                missing = [steps[name] for name in item.steps]
                known = {item.photo.photo_id: item.content} if item.content else {}
                prepared = prepare_photo(item.photo, missing, self._previews, known)
                yield {"prepared": _make_column([prepared])}


class _ProcessBatches:
    """Processes batches of prepared photos with the models of some steps; an actor of Ray Data."""

    def __init__(self, specs: Sequence[StepSpec], threads: int) -> None:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        self._specs, self._steps = specs, None

    def __call__(self, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"result": _make_column([self._process(list(batch["prepared"]))])}

    def _process(self, batch: list[PreparedPhoto | str]) -> EngineResult | str:
        """Return the result of a batch, or the reason why no photo can be processed."""
        if reasons := [one for one in batch if isinstance(one, str)]:
            return reasons[0]
        try:
            if self._steps is None:
                self._steps = [_activate(spec) for spec in self._specs]
            batches = []
            for step in self._steps:
                name = step.spec.name
                mine = [one for one in batch if name in one.inputs or name in one.errors]
                if mine:
                    batches.append(process_batch(step, mine))
        except UserError as error:
            return f"{platform.node()}: {error}"
        unseen = [one.photo for one in batch if one.errors and not os.access(one.photo.file, os.R_OK)]
        return EngineResult(len(batch), batches, list_damaged(batch), unseen, platform.node())


def _activate(spec: StepSpec) -> ActiveStep:
    """Make the processor of a step, and check that it gives the values that the driver expects."""
    here = spec.compute_fingerprint() if spec.compute_fingerprint else spec.fingerprint
    if here != spec.fingerprint:
        raise UserError(
            f"{spec.name}: the model or its precision differs from the machine that runs the step "
            f"({here}, expected {spec.fingerprint}); set models.precision in the config"
        )
    return ActiveStep(spec, set(), spec.make_processor())


def _make_column(values: Sequence[Any]) -> np.ndarray:
    """Return a column of any objects."""
    column = np.empty(len(values), object)
    column[:] = values
    return column
