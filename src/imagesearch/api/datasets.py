"""The datasets that can be searched: one connection to Milvus and one set of models, used by one thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.library import PhotoLibrary
from imagesearch.pipeline import Dataset
from imagesearch.search import Answer, Query, QueryModels, Searcher, check_query

T = TypeVar("T")


class DatasetSession:
    """All datasets of a config: those that ``-n NAME`` selects in the scripts.

    A searcher is not made for several threads, and a search takes some milliseconds. Therefore one thread
    does all searches, in the order of the requests.

    Parameters
    ----------
    config
        The config. Its ``dataset.name`` is one of the datasets.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._worker = ThreadPoolExecutor(1, "search")
        self._library = PhotoLibrary(config)  # has the connection; it is opened when first used
        self._models = QueryModels(config)
        self._searchers: dict[str, Searcher] = {}
        self._names: list[str] = []  # as listed last

    def close(self) -> None:
        """Wait for the search in progress, and close the connection."""
        self._worker.submit(self._library.close)
        self._worker.shutdown()

    def open(self) -> None:
        """Connect to Milvus, if its database exists.

        The first process that opens a Milvus Lite file serves it to the others. That must be this one,
        because the process of the steps ends.
        """
        self._run(self._open)

    def list_names(self, expected: object = None) -> list[str]:
        """Return the names of the datasets that have a collection to search, in alphabetical order.

        Milvus is not asked again if the name that is expected was among those listed last: asking takes as
        long as a search.
        """
        if expected not in self._names:
            self._names = self._run(self._list_names)
        return self._names

    def has_collections(self, name: str) -> bool:
        """Whether Milvus has any collection of a dataset."""
        return self._run(lambda: any(c.ref.dataset == name for c in self._list_collections()))

    def search(self, name: str, query: Query) -> Answer:
        """Answer a query about one dataset.

        Raises
        ------
        UserError
            See `PhotoLibrary.search`.
        """
        check_query(query)
        return self._run(lambda: self._get_searcher(name).search(query))

    def make_query(self, text: str = "", **options: Any) -> Query:
        """Return a query; see `PhotoLibrary.make_query`."""
        return self._library.make_query(text, **options)

    def _run(self, work: Callable[[], T]) -> T:
        return self._worker.submit(work).result()

    def _open(self) -> None:
        if not self.config.milvus.is_missing:
            self._library.open()

    def _list_collections(self) -> list:
        return [] if self.config.milvus.is_missing else self._library.store.collections.list_all()

    def _list_names(self) -> list[str]:
        names = {c.ref.dataset for c in self._list_collections() if c.ref.kind == "clip"}
        # a server can have collections of other users, whose tables and photos are not here
        return sorted(name for name in names if (self.config.dataset.processed / name).is_dir())

    def _get_searcher(self, name: str) -> Searcher:
        if name not in self._searchers:
            config = select_dataset(self.config, name)
            self._searchers[name] = Searcher(config, Dataset(config), self._library.store, self._models)
        return self._searchers[name]


def select_dataset(config: Config, name: str) -> Config:
    """Return the config of another dataset, as ``-n NAME`` does.

    Raises
    ------
    UserError
        If a dataset cannot have this name.
    """
    section = config.dataset
    changed = section.model_dump() | {"name": name}
    try:
        renamed = type(section).model_validate(changed, context={"base": Path()})  # its paths are absolute
    except ValueError:
        raise UserError(
            f"dataset name {name[:100]!r}: expected 1 to 100 letters (a-z, A-Z), digits and _, without a "
            "digit first"
        ) from None
    return config.model_copy(update={"dataset": renamed})
