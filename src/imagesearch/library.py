"""The public API: a config's photos, brought up to date, searched and shown."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from imagesearch.config import Config, load_config
from imagesearch.errors import UserError
from imagesearch.photos import PhotoError
from imagesearch.pipeline import Dataset, FolderChange, Progress
from imagesearch.search import Answer, Query, QueryModels, Searcher, check_query
from imagesearch.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from imagesearch.workflow import RunSummary


FilePath = str | PathLike[str]


def open_library(
    config: FilePath | Config = "config.yaml",
    *,
    images: FilePath | Sequence[FilePath] = (),
    change: FolderChange = "",
    dataset: str | None = None,
    settings: str | Sequence[str] = (),
) -> PhotoLibrary:
    """Open the photos that a config describes.

    The config is loaded now. Photos and tables are read, and Milvus is connected, when first used.

    Parameters
    ----------
    config
        A config file, or a loaded config.
    images
        One or more folders of photos, in place of ``dataset.images`` of the config. `update` stores them.
    change
        Required if the dataset has photos of other folders: ``"add"`` uses both, ``"replace"`` removes the
        photos of the other folders in the next update.
    dataset
        A name, in place of ``dataset.name`` of the config file.
    settings
        One or more settings in place of the config file's, such as ``"search.top_k=20"``.

    Raises
    ------
    UserError
        If the config cannot be read, or has an unknown key or a wrong value; if a folder in `images` does
        not exist or has no photos, or `change` is required.
    """
    if not isinstance(config, Config):
        config = load_config(Path(config), [settings] if isinstance(settings, str) else settings, dataset)
    elif settings or dataset:
        raise TypeError("dataset and settings require a config file, not a loaded config")
    return PhotoLibrary(config, images, change)


class PhotoLibrary:
    """The photos of one dataset. A context manager: leaving it closes the connection to Milvus.

    Parameters
    ----------
    config
        A loaded config.
    images
        One or more folders of photos, in place of ``dataset.images`` of the config.
    change
        See `open_library`.

    Attributes
    ----------
    config : Config
        The config.
    dataset : imagesearch.pipeline.Dataset
        The photos, and the tables that were extracted from them.
    """

    def __init__(
        self, config: Config, images: FilePath | Sequence[FilePath] = (), change: FolderChange = ""
    ) -> None:
        self.config = config
        self._images = [Path(f) for f in ([images] if isinstance(images, (str, PathLike)) else images)]
        self._change: FolderChange = change
        self.dataset = Dataset(config, self._images, change=change)
        self._models = QueryModels(config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Connect to Milvus. Without this call, the first search does.

        Raises
        ------
        UserError
            If Milvus cannot be reached, if there is no such database, or if a process has it open that does
            not share it.
        """
        _ = self.store

    def close(self) -> None:
        """Close the connection to Milvus. The next search opens it again."""
        self.__dict__.pop("searcher", None)
        if store := self.__dict__.pop("store", None):
            store.close()

    @functools.cached_property
    def store(self) -> Store:
        """The connection to Milvus, opened when first used."""
        return Store(self.config.milvus, create=False)

    @functools.cached_property
    def searcher(self) -> Searcher:
        """Answers queries; keeps the names that it has loaded."""
        return Searcher(self.config, self.dataset, self.store, self._models)

    def update(
        self,
        *,
        retry_failed: bool = False,
        refresh: bool = False,
        progress: Progress | None = None,
        report: Callable[[str], object] = lambda line: None,
    ) -> RunSummary:
        """Bring tables and collections up to date with the photos on disk: steps 01, 02, 04 and 05.

        Only new and changed photos are processed. An interrupted update keeps what was finished.

        Parameters
        ----------
        retry_failed
            Also process unchanged photos that failed before.
        refresh
            Ask for all downloaded photos again.
        progress
            Shows the progress, for example as a bar; see `imagesearch.pipeline.Progress`.
        report
            Is called with each line of the summary, as soon as its step is done.

        Raises
        ------
        UserError
            If a model, a folder of photos or Milvus cannot be reached, or another process is updating.
        """
        from imagesearch import workflow

        self.close()  # the steps open Milvus themselves, and the searcher would keep outdated names
        # the list of photos is cached in the dataset
        self.dataset = Dataset(self.config, self._images, change=self._change, refresh=refresh)
        return workflow.run_steps(
            self.config, self.dataset, retry_failed=retry_failed, progress=progress, report=report
        )

    def update_names(self) -> None:
        """Write the names that the user gave to people and trips to the collections, if there are any.

        `update` does the same, after it has processed new photos.

        Raises
        ------
        UserError
            If the collections cannot be updated.
        """
        from imagesearch import workflow

        # with a list of the photos as they are now: photos that are not in it would be deleted
        dataset = Dataset(self.config, self._images, change=self._change)
        workflow.update_names(self.config, dataset, None if self.config.milvus.is_missing else self.store)

    def reload(self) -> None:
        """Use the photos and collections as they are now, after another program has updated them.

        Searches notice a build by themselves. This discards the list of photos, which was read once.
        """
        self.dataset = Dataset(self.config, self._images, change=self._change)
        self.__dict__.pop("searcher", None)
        if store := self.__dict__.get("store"):
            store.collections.forget()

    def search(self, query: str | Query = "", **options: Any) -> Answer:
        """Answer a query.

        Parameters
        ----------
        query
            A sentence, with the defaults of the config; or a `Query`, which has its own.
        **options
            Other fields of `Query`: ``top_k=20``, ``face="maya.jpg"``, ``criteria=Criteria(years=(2023,))``.
            ``image`` is another name of ``images``, and can be one path: ``image="beach.jpg"``,
            ``image=["beach.jpg", "sea.jpg"]``. A photo can be given as `find_photo` accepts it. None means
            the default.

        Raises
        ------
        UserError
            If the query is empty or contradictory, if its photo cannot be read, or if the dataset has no
            collection that was built with the config's model.
        """
        if isinstance(query, Query):
            query = replace(query, **_clean_options(options))
        else:
            query = self.make_query(**({"text": query} | options))
        check_query(query)  # before Milvus is opened
        if query.text or query.plus:
            self._models.preload_text_encoder()  # while Milvus is being opened
        return self.searcher.search(query)

    def make_query(self, text: str = "", **options: Any) -> Query:
        """Return a query with the defaults of the config's section ``search``.

        Parameters
        ----------
        text
            A sentence.
        **options
            As for `search`.
        """
        search = self.config.search
        defaults = {
            "strategy": search.strategy,
            "top_k": search.top_k,
            "min_score": search.min_score,
            "min_fit": search.min_fit,
        }
        return Query(text=text, **(defaults | _clean_options(options)))

    def find_photo(self, name: FilePath) -> Path:
        """Return the file of a photo.

        Parameters
        ----------
        name
            A path as results have it, a file on the disk, or the file name of only one photo.

        Raises
        ------
        UserError
            If no photo, or more than one, has this name. The message lists the photos that can be meant.
        """
        return self.searcher.find_photo(Path(name))

    def fetch_photo(self, name: str | Path) -> Path:
        """Return the file of a photo to open it; one in a bucket is fetched first.

        Parameters
        ----------
        name
            See `find_photo`.

        Raises
        ------
        UserError
            If no photo has this name, or it cannot be fetched.
        """
        try:
            return self.dataset.fetch_file(self.find_photo(name))
        except PhotoError as error:
            raise UserError(f"{name}: {error}") from None

    def draw(self, answer: Answer) -> Figure:
        """Return an answer as a matplotlib figure, for example in a notebook.

        Parameters
        ----------
        answer
            An answer returned by `search`.
        """
        from imagesearch.figures import draw_answer

        return draw_answer(answer, self.dataset)

    def show(self, answer: Answer, save: str | PathLike[str] | None = None, *, window: bool = True) -> None:
        """Show an answer as a grid of photos.

        Parameters
        ----------
        answer
            An answer returned by `search`.
        save
            Save the figure in this file: PNG, JPEG, WebP, PDF or SVG; or in this folder, if it exists.
        window
            Open a window. Without a display the figure is saved below ``outputs/`` and the path is printed.
        """
        from imagesearch.figures import show_answer

        show_answer(answer, self.dataset, Path(save) if save else None, window)


def _clean_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return options of a search as fields of `Query`: without None, with paths and tuples."""
    given = {name: value for name, value in options.items() if value is not None}
    if given.keys() >= {"image", "images"}:
        raise TypeError("image and images are the same option; expected one of them")
    for name in given.keys() & {"image", "images"}:
        files = given.pop(name)
        given["images"] = tuple(map(Path, [files] if isinstance(files, (str, PathLike)) else files))
    if "face" in given:
        given["face"] = Path(given["face"])
    for name in given.keys() & {"plus", "minus"}:
        given[name] = (given[name],) if isinstance(given[name], str) else tuple(given[name])
    return given
