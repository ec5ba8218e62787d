"""The engine of Ray: photos are decoded by tasks and processed by actors, which can be on several machines.

Ray Data distributes the work, limits what is in memory, and repeats what a process that died had not
finished. The process that runs the step lists the photos, and is the only one that writes tables.
"""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagesearch.bucket_paths import get_bucket
from imagesearch.errors import UserError
from imagesearch.photos import Photo, PreviewCache, share_cores
from imagesearch.pipeline.batches import EngineResult, list_damaged, list_unavailable, process_batch
from imagesearch.pipeline.decode_ahead import PreparedPhoto, prepare_photo
from imagesearch.pipeline.pending import PendingWork
from imagesearch.pipeline.ray_cluster import connect, explain_ray_errors
from imagesearch.pipeline.steps import ActiveStep, RunOptions, StepSpec
from imagesearch.pipeline.summary import OutageDetector

# Tasks and actors share the cores: each task reserves 0.9 of a core, and all actors on CPUs together reserve
# the rest. If actors reserved whole cores, these would be idle while the actors wait for photos.
_CORES_A_TASK = 0.9
# On CPUs, there is an actor for this many cores, and there are at least two.
_CORES_AN_ACTOR, _MIN_ACTORS = 4, 2
# Batches that are sent to an actor in advance.
_BATCHES_AHEAD = 2
# Maximum number of parts that the photos are divided into. Each part is prepared by one task.
_MAX_PARTS = 4096
# Photos that a task adds to its output at a time: one at a time takes twice the CPU time, 1.0 ms for a photo.
_PHOTOS_A_BLOCK = 8
# How often a batch is repeated after it has ended the process of its actor.
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
    """Yield a result for each batch, in the order in which the batches are done.

    In an outage of a bucket the tasks and actors are ended, because each task has an `OutageGuard` of its own
    and would ask again. Photos elsewhere that are left are begun anew. The last result says that all that is
    left in the bucket is unavailable.

    Parameters
    ----------
    photos, work, previews, hashes, options
        See `local_engine.process_photos`.

    Raises
    ------
    UserError
        If Ray is not installed or does not answer, if a worker cannot read a photo that this process can
        read, cannot load a model or has another one, or if a batch ends each process that processes it.
    """
    ray = connect(options)
    items = [
        _Item(
            photo,
            hashes.get(photo.photo_id),
            tuple(one.spec.name for one in work if photo.photo_id in one.missing),
        )
        for photo in photos
    ]
    detector, left = OutageDetector(photos), {photo.photo_id for photo in photos}
    with explain_ray_errors():
        dataset = _make_dataset(ray, items, [one.spec for one in work], previews, options)
        with closing(iter(dataset.iter_rows())) as rows:
            for row in rows:
                result = row["result"]
                if isinstance(result, str):
                    raise UserError(result)
                _check_unseen(result)
                yield result
                for batch in result.batches:
                    left.difference_update(entry[0] for entry in batch.entries)
                if detector.add(result.unavailable):
                    break
            else:
                return
    rest = [photo for photo in photos if photo.photo_id in left]
    silent = {get_bucket(photo.file) for photo in rest if photo.path in result.unavailable}
    if others := [photo for photo in rest if get_bucket(photo.file) not in silent]:
        yield from process_photos(others, work, previews, hashes, options)
    reason = next(iter(result.unavailable.values()))
    lost = [photo.path for photo in rest if get_bucket(photo.file) in silent]
    yield EngineResult(0, [], unavailable=dict.fromkeys(lost, reason))


def _make_dataset(
    ray: Any, items: Sequence[_Item], specs: Sequence[StepSpec], previews: PreviewCache, options: RunOptions
) -> Any:
    """Return a dataset of results, which are computed while they are read."""
    resources = ray.cluster_resources()
    cores, gpus = max(1, int(resources.get("CPU", 1))), int(resources.get("GPU", 0))
    size = max(1, min(options.batch_size, len(items) // (2 * cores)))
    parts = min(-(-len(items) // size), _MAX_PARTS)
    uses_gpus = gpus > 0 and any(spec.uses_gpu for spec in specs)
    actors = min(parts, gpus if uses_gpus else max(_MIN_ACTORS, cores // _CORES_AN_ACTOR))
    reserved = (
        {"num_gpus": 1, "num_cpus": 0} if uses_gpus else {"num_cpus": (1 - _CORES_A_TASK) * cores / actors}
    )
    dataset = ray.data.from_items([{"item": item} for item in items], override_num_blocks=parts)
    dataset = dataset.map_batches(_PreparePhotos(specs, previews), batch_size=None, num_cpus=_CORES_A_TASK)
    with warnings.catch_warnings():
        # Ray Data repeats without end by default, and has no other way yet to change this.
        warnings.simplefilter("ignore", DeprecationWarning)
        return dataset.map_batches(
            _ProcessBatches,
            fn_constructor_args=(specs, max(1, cores // actors)),
            batch_size=options.batch_size,
            compute=ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=_BATCHES_AHEAD),
            max_restarts=-1,
            max_task_retries=_RETRIES,
            **reserved,
        )


def _check_unseen(result: EngineResult) -> None:
    """Raise `UserError` if a worker cannot read a photo that this process can read."""
    for photo in result.unseen:
        if os.access(photo.file, os.R_OK):
            raise UserError(
                f"{photo.file}: can be read here but not by the Ray worker on {result.host}; "
                "all machines must have the folders of photos at the same paths (docs/ray.md)"
            )


# --- in the processes of Ray -------------------------------------------------------------------------------


class _PreparePhotos:
    """Prepares photos for some steps, in a task."""

    def __init__(self, specs: Sequence[StepSpec], previews: PreviewCache) -> None:
        self._specs, self._previews = specs, previews

    def __call__(self, batch: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
        """Yield the photos, some at a time. If they cannot be prepared, yield the reason at last."""
        try:
            steps = {spec.name: ActiveStep(spec, set(), spec.make_processor()) for spec in self._specs}
            with share_cores(os.cpu_count() or 1):  # as many tasks run at the same time
                for start in range(0, len(batch["item"]), _PHOTOS_A_BLOCK):
                    items = batch["item"][start : start + _PHOTOS_A_BLOCK]
                    yield {"prepared": _make_column(*(self._prepare(item, steps) for item in items))}
        except UserError as error:
            yield {"prepared": _make_column(_add_host(error))}

    def _prepare(self, item: _Item, steps: Mapping[str, ActiveStep]) -> PreparedPhoto:
        known = {item.photo.photo_id: item.content} if item.content else {}
        prepared = prepare_photo(item.photo, [steps[name] for name in item.steps], self._previews, known)
        if prepared.unavailable:  # perhaps only to this machine, which has no credentials
            prepared.unavailable = _add_host(prepared.unavailable)
        return prepared


class _ProcessBatches:
    """Processes batches of prepared photos with the models of some steps, in an actor."""

    def __init__(self, specs: Sequence[StepSpec], threads: int) -> None:
        os.environ["OMP_NUM_THREADS"] = str(threads)  # see `count_cores`
        self._specs = specs
        self._steps: list[ActiveStep] | None = None

    def __call__(self, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the result of a batch. If no photo can be processed, return the reason."""
        try:
            return {"result": _make_column(self._process(list(batch["prepared"])))}
        except UserError as error:
            return {"result": _make_column(_add_host(error))}

    def _process(self, batch: list[PreparedPhoto | str]) -> EngineResult | str:
        for reason in batch:
            if isinstance(reason, str):
                return reason
        lost = list_unavailable(batch)
        if self._steps is None and len(lost) < len(batch):  # an outage is reported before models are loaded
            self._steps = [_activate(spec) for spec in self._specs]
        batches = []
        for step in self._steps or ():
            name = step.spec.name
            of_step = [one for one in batch if name in one.inputs or name in one.errors]
            if of_step:
                batches.append(process_batch(step, of_step))
        unseen = [one.photo for one in batch if one.errors and not os.access(one.photo.file, os.R_OK)]
        return EngineResult(len(batch), batches, list_damaged(batch), lost, unseen, platform.node())


def _activate(spec: StepSpec) -> ActiveStep:
    """Make the processor of a step. Raise `UserError` if its values differ from those that are expected."""
    fingerprint = spec.compute_fingerprint() if spec.compute_fingerprint else spec.fingerprint
    if fingerprint != spec.fingerprint:
        raise UserError(
            f"{spec.name}: the model or its precision differs from the machine that runs the step "
            f"({fingerprint}, expected {spec.fingerprint}); use the same files, and set models.precision"
        )
    return ActiveStep(spec, set(), spec.make_processor())


def _add_host(reason: UserError | str) -> str:
    return f"{reason} (Ray worker on {platform.node()})"


def _make_column(*values: Any) -> np.ndarray:
    """Return a column of any objects."""
    column = np.empty(len(values), object)
    column[:] = values
    return column
