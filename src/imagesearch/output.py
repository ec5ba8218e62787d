"""How answers reach people: lines on the terminal, figures, copies of the files found."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from imagesearch.classify import Classified
from imagesearch.dataset import Dataset
from imagesearch.errors import UserError
from imagesearch.maps import photo_map
from imagesearch.photos import PhotoError, decode
from imagesearch.search import Answer, Result
from imagesearch.visualize import Tile, classification_figure, report_saved, result_grid, show
from imagesearch.whereabouts import Whereabouts

_THUMBNAIL = 480  # pixels; sharp enough in a cell of a grid, and light in a grid of a hundred
_PHOTOS_IN_A_FIGURE = 24


def print_answer(answer: Answer) -> None:
    """Print one line a result: rank, score, path and class."""
    print(answer.query.title)
    for result in answer.results:
        label = f"  ({result.class_label} {result.class_score:.0%})" if result.class_label else ""
        print(f"{result.rank:>4}  {result.score:.4f}  {result.path}{label}")


def answer_figure(answer: Answer, dataset: Dataset, save: Path | None, window: bool) -> None:
    """Show or save an answer as a grid of photos, and say where it went."""
    tiles = [
        Tile(_thumbnail_of(dataset, result), f"{result.rank} · {result.score:.3f}", Path(result.path).name)
        for result in answer.results
    ]
    limit = dataset.config.extraction.max_megapixels
    image = _thumbnail(answer.query.image, limit) if answer.query.image else None
    figure = result_grid(answer.query.title, tiles, image)
    report_saved(show(figure, f"search {answer.query.title}", save=save, window=window))


def copy_results(results: Sequence[Result], folder: Path) -> None:
    """Copy the photos found into a folder, named by rank, without overwriting anything.

    Raises
    ------
    UserError
        If the folder cannot be written to.
    """
    copied = gone = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for result in results:
            target = folder / f"{result.rank:03d}_{result.file.name}"
            gone += not result.file.is_file()
            if result.file.is_file() and not target.exists():
                shutil.copy2(result.file, target)
                copied += 1
    except OSError as error:
        raise UserError(f"--copy-to {folder}: {error.strerror or error}") from None
    rest = len(results) - copied - gone
    left = f", {rest} were there already" if rest else ""
    lost = f", {gone} are not on the disk any more" if gone else ""
    print(f"copied {copied} photos to {folder}{left}{lost}", file=sys.stderr)


def print_classes(results: Sequence[Classified]) -> None:
    """Print each photo with its labels, or the reason why it has none."""
    for result in results:
        print(result.file)
        if result.error:
            print(f"  failed: {result.error}")
        for label, score in result.classes:
            print(f"  {score:>6.1%}  {label}")


def classes_figure(
    results: Sequence[Classified], max_megapixels: float, save: Path | None, window: bool
) -> None:
    """Show or save photos beside the bar charts of their labels, and say where it went."""
    shown = results[:_PHOTOS_IN_A_FIGURE]
    items = [(_thumbnail(result.file, max_megapixels), result.file.name, result.classes) for result in shown]
    if len(shown) < len(results):
        print(f"the figure shows the first {len(shown)} of {len(results)} photos", file=sys.stderr)
    figure = classification_figure(items)
    report_saved(show(figure, f"classes {results[0].file.stem}", save=save, window=window))


def places_figure(known: Mapping[int, Whereabouts], dataset: str, save: Path | None, window: bool) -> None:
    """Show and save a map of the photos that have a position, and say where it went.

    Raises
    ------
    UserError
        If none has.
    """
    placed = [where for where in known.values() if where.facts.latitude is not None]
    if not placed:
        raise UserError("no photo says where it was taken: there is nothing to draw a map of")
    latitudes, longitudes = np.array([(w.facts.latitude, w.facts.longitude) for w in placed]).T
    title = f"{dataset}: {len(placed)} of {len(known)} photos have a position"
    figure = photo_map(latitudes, longitudes, [where.address.city for where in placed], title)
    report_saved(show(figure, f"map {dataset}", save=save, window=window))


def _thumbnail_of(dataset: Dataset, result: Result) -> Image.Image | None:
    photo = dataset.photo(result.path)
    try:
        picture = dataset.previews.open(photo, _THUMBNAIL // 2) if photo else None
    except PhotoError:
        return None
    return _shrink(picture.image) if picture else None


def _thumbnail(file: Path, max_megapixels: float) -> Image.Image:
    return _shrink(decode(file, _THUMBNAIL // 2, max_megapixels=max_megapixels).image)


def _shrink(image: Image.Image) -> Image.Image:
    image.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
    return image
