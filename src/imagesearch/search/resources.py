"""What stays in memory between queries: the Milvus connection, the models, and the dataset's vocabulary."""

from __future__ import annotations

import functools

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.faces import get_pack_id, load_people, open_edit_log
from imagesearch.features import ScoreBands, check_model, get_model_id, read_bands
from imagesearch.files import FileVersion, get_file_version
from imagesearch.filters import And, Eq
from imagesearch.local_times import make_time
from imagesearch.pipeline import Dataset
from imagesearch.query import NameCompleter, PhotoMoment, SentenceParser, require_name
from imagesearch.search.query_models import QueryModels
from imagesearch.store import (
    STEP_SCRIPTS,
    CollectionInfo,
    CollectionRef,
    Store,
    UnbuiltChanges,
    UnbuiltChangesFinder,
    Vocabulary,
)
from imagesearch.trips import count_trip_lines

# Number of vectors sampled from the collection to estimate how the scores of all photos are distributed.
_SAMPLE_SIZE = 500
_MAX_SAME_NAME = 20  # photos with one file name whose times are read


class SearchResources:
    """Everything that the stages of a search use. Each item is loaded when it is first needed.

    Parameters
    ----------
    config, dataset, store
        The config, the dataset, and the Milvus connection.
    models
        The models that encode queries; by default the config's.
    """

    def __init__(
        self, config: Config, dataset: Dataset, store: Store, models: QueryModels | None = None
    ) -> None:
        self.config, self.dataset, self.store = config, dataset, store
        self.models = models or QueryModels(config)
        self._changes_finder = UnbuiltChangesFinder(dataset)
        self._upgrade_note = ""
        self._is_upgrade_noted = False
        self._versions: tuple[FileVersion, FileVersion] | None = None

    # --- changes by other programs -------------------------------------------------------------------------

    def refresh(self) -> None:
        """Discard what other programs have changed: they built the collections, or edited people."""
        before, self._versions = self._versions, self._read_versions()
        if before is not None and before != self._versions:
            self.__dict__.pop("has_unbuilt_edits", None)
            if before[0] != self._versions[0]:
                self.discard()
        # A build saves the vocabulary shortly before the collections are ready.
        self.store.collections.forget(unfinished_only=True)

    def is_outdated(self) -> bool:
        """Whether another program has built or dropped collections since `refresh`."""
        return self._versions != self._read_versions() or self.store.collections.have_changed()

    def _read_versions(self) -> tuple[FileVersion, FileVersion]:
        """Return the versions of the vocabulary, which is written by each build, and of the edit log."""
        log = open_edit_log(self.dataset).file
        return Vocabulary.get_version(self.dataset.folder), get_file_version(log)

    def discard(self) -> None:
        """Discard the data of the dataset and of its collections; they are loaded again when needed."""
        names = ("vocabulary", "parser", "completer", "has_unbuilt_edits", "score_bands", "sample_vectors")
        for name in names:
            self.__dict__.pop(name, None)
        self.dataset.reload_roots()
        self.store.collections.forget()

    # --- collections ---------------------------------------------------------------------------------------

    def get_collection_ref(self, kind: str) -> CollectionRef:
        """Return the name of the dataset's collection of one kind: ``clip``, ``vit`` or ``faces``."""
        if kind == "vit" and self.dataset.imported is not None:
            kind = "clip"  # imported vectors are in one collection, whatever model made them
        return CollectionRef(self.config.dataset.name, kind)

    def has_collection(self, kind: str) -> bool:
        """Whether the dataset has a collection of one kind."""
        return self.store.collections.has(self.get_collection_ref(kind))

    def get_photo_collection_ref(self) -> CollectionRef:
        """Return the name of a collection that has all photos, to read fields that no vector decides."""
        return self.get_collection_ref("clip" if self.has_collection("clip") else "vit")

    def open_collection(self, kind: str) -> CollectionInfo:
        """Load a collection into Milvus' memory.

        A collection of an earlier version can lack some fields. It is used without them.

        Raises
        ------
        UserError
            If there is no such collection, or if it was built with another model or other types of fields.
        """
        if kind == "faces":
            self.dataset.refuse_imported()
        collection = self.store.collections.open(self.get_collection_ref(kind))
        name = getattr(self.config.models, kind)
        expected = get_pack_id(name) if kind == "faces" else get_model_id(kind, name)
        if collection.fingerprint != expected and not collection.is_imported:  # see `check_dimension`
            if kind != "faces":
                check_model(self.config.models, kind)  # the advice below requires a model of this kind
            raise UserError(
                f"models.{kind}: the config names {name} ({expected}), the collection was "
                f"built with {collection.model} ({collection.fingerprint}); "
                f"restore the setting, or run {STEP_SCRIPTS[kind]} and 05_build_collections.py"
            )
        if not self.store.collections.has_same_types(collection):
            raise UserError(
                f"{self.store.uri}: {collection.ref.alias} was built by another version of this program, "
                "with other fields; run 05_build_collections.py"
            )
        if not self._is_upgrade_noted and not self.store.collections.is_current(collection):
            self._upgrade_note = (
                f"{collection.ref.alias} was built by an earlier version of this program; "
                "run 05_build_collections.py to add the new fields"
            )
        return collection

    def take_upgrade_note(self) -> str:
        """Return the note that a collection was built by an earlier version, only once; else empty."""
        note, self._upgrade_note = self._upgrade_note, ""
        self._is_upgrade_noted |= bool(note)
        return note

    def check_dimension(self, kind: str, vector: np.ndarray) -> None:
        """Raise `UserError` if a query's vector cannot be compared with the vectors of a collection.

        Only imported vectors can have another dimension than those of the config's model.
        """
        collection = self.store.collections.open(self.get_collection_ref(kind))
        if collection.dimension != len(vector):
            raise UserError(
                f"models.{kind}: {getattr(self.config.models, kind)} makes vectors of {len(vector)} "
                f"dimensions, those of {collection.model} have {collection.dimension}; "
                "select the model that made them"
            )

    # --- data of the dataset ------------------------------------------------------------------------------

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        """The names of people, places, cameras and keywords in the collections."""
        return Vocabulary.read(self.dataset.folder)

    @functools.cached_property
    def parser(self) -> SentenceParser:
        """Parses sentences with the names in the vocabulary."""
        search = self.config.search
        return SentenceParser(self.vocabulary, search.template, search.holiday_countries)

    @functools.cached_property
    def completer(self) -> NameCompleter:
        """Completes the words of sentences with the names in the vocabulary."""
        return NameCompleter(self.vocabulary)

    def find_moments(self, file: str) -> list[PhotoMoment]:
        """Return the times of up to some photos with a file name, the newest first."""
        ref = self.get_photo_collection_ref()
        if not {"file_name", "time_precision", "trip"} <= self.store.collections.open(ref).field_types.keys():
            return []
        where = And((require_name(file), Eq("has_time", True)))
        fields = ("taken_at", "time_precision", "trip")
        hits, _ = self.store.list_by_date(ref, _MAX_SAME_NAME, where=where, fields=fields)
        return [
            PhotoMoment(
                make_time(hit.fields["taken_at"]),
                hit.fields["time_precision"],
                hit.fields["trip"],
            )
            for hit in hits
        ]

    def find_person(self, number: int) -> str:
        """Return the name of the person with a number, or ``person 12``; empty if there is none."""
        if self.dataset.imported is not None:
            return ""
        person = load_people(self.config, self.dataset).find_number(number)
        return "" if person is None else person.label

    @functools.cached_property
    def has_unbuilt_edits(self) -> bool:
        """Whether people were edited after the collections were built, or the names are of a later build."""
        if open_edit_log(self.dataset).count() != self.vocabulary.edit_count:
            return True
        if count_trip_lines(self.dataset.folder) != self.vocabulary.trip_name_count:
            return True
        # The same vocabulary serves the collections of all Milvus that the dataset was copied to.
        loaded = self.store.collections.list_loaded(self.config.dataset.name)
        return any(collection.vocabulary not in ("", self.vocabulary.digest) for collection in loaded)

    def find_unbuilt_changes(self) -> UnbuiltChanges:
        """Return what the steps have found since the collections were built, without listing the photos."""
        return self._changes_finder.find()

    @functools.cached_property
    def score_bands(self) -> ScoreBands | None:
        """The calibration of CLIP scores; None if the collection is too small, or another model's."""
        dimension = self.store.collections.open(self.get_collection_ref("clip")).dimension
        return read_bands(self.config, self.dataset, dimension)

    @functools.cached_property
    def sample_vectors(self) -> np.ndarray:
        """CLIP vectors of up to 500 photos of the collection, (n, d) float32."""
        return self.store.sample_vectors(self.get_collection_ref("clip"), _SAMPLE_SIZE)
