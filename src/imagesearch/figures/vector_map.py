"""A map of a collection's vectors: photos that are alike lie together, with thumbnails."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.figures.display import fit_text, new_figure, report_saved, show_figure
from imagesearch.figures.style import INK, PALETTE, QUIET, choose_person_colour, shorten
from imagesearch.pipeline import Dataset
from imagesearch.store import CollectionRef, Store, Vocabulary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.offsetbox import OffsetImage

    Picture = Callable[[int], Image.Image | None]

_MAP_INCHES, _LEGEND_INCHES = 9.5, 1.6
_THUMBNAILS = (46, 120)  # points of the longer side on the map: of many photos, and of few
_AIR = 1.15  # thumbnails are at least that many of their own sizes apart, so that dots are seen between
MAX_GROUPS = 8  # classes or people with a colour of their own; the others share one
_MOST_POINTS = {"pca": 10_000, "tsne": 2_000}  # beyond, dots cover dots, and t-SNE takes minutes
_PIXELS = 160  # of a thumbnail, sharp in a PDF too
_KEYS_A_BATCH = 5_000
OTHERS, NOBODY = " others", " nobody known"  # no name begins with a space
GREYS = {OTHERS: "#9fb3c8", NOBODY: "#d5dae0"}

Progress = Callable[[Iterable[int], int, str], Iterable[int]]


@dataclass(frozen=True)
class ColourGroups:
    """What points are coloured by: each one's group, the groups' colours, and that in words for a title."""

    names: Sequence[str]
    colours: Mapping[str, str]
    said: str = ""


@dataclass(frozen=True)
class Projection:
    """Vectors on a plane: (n, 2) points, and what may be read off them, in words."""

    points: np.ndarray
    said: str


# --- what a collection holds -> figures --------------------------------------------------------------------


def show_vector_map(
    dataset: Dataset, store: Store, save: Path, window: bool, *, tsne: bool = False, progress: Progress
) -> None:
    """Save a map of the vectors in a dataset's collection, show it where there is a window, say where it is.

    Of more photos than a map has room for, some chosen at random stand for all; the title says so.

    Parameters
    ----------
    dataset, store
        What the collection holds, and where the photos are.
    save, window
        As in `imagesearch.figures.display.show`.
    tsne
        Lay them out by t-SNE in place of PCA.
    progress
        Wraps the photos whose thumbnails are read, with their number and the unit.

    Raises
    ------
    UserError
        If the dataset has no collection of photos, or an empty one.
    """
    name = dataset.config.dataset.name
    ref = find_photo_collection(store, name)
    every = np.sort([hit.id for hit in store.read_all_rows(ref)])
    keys = _sample_keys(every, _MOST_POINTS["tsne" if tsne else "pca"])
    hits = store.read_rows(ref, keys, ("path", "class_label", "face_labels"))
    rows = [hit.fields for hit in hits]
    if tsne:
        print(f"t-SNE lays {len(hits):,} photos out: of 2,000 it takes up to a minute", file=sys.stderr)
    projection = project_vectors(_read_vectors(store, ref, [hit.id for hit in hits]), tsne)
    groups = _group_by_class(rows) or _group_by_person(rows, Vocabulary.read(dataset.folder).cast)
    of = f" of {len(every):,} photos, chosen at random," if len(keys) < len(every) else " photos"
    title = f"{name}: {len(keys):,}{of} by their {ref.kind.upper()} vectors{groups.said}"

    def picture(point: int) -> Image.Image | None:
        return dataset.load_thumbnail(rows[point]["path"], _PIXELS)

    figure = draw_vector_map(projection, groups, picture, title, progress)
    report_saved(show_figure(figure, f"map of vectors {name}", save=save, window=window))


# --- the map -----------------------------------------------------------------------------------------------


def project_vectors(vectors: np.ndarray, tsne: bool = False) -> Projection:
    """Lay vectors out on a plane.

    Parameters
    ----------
    vectors : (n, d) float32
        At least one.
    tsne
        By t-SNE (van der Maaten and Hinton 2008, https://scikit-learn.org/stable/modules/manifold.html#t-sne)
        in place of PCA; of fewer than five there is nothing to lay out, and PCA is taken.
    """
    # threads that wait for each other by spinning take the time that the others need, on a busy
    # machine most of it; read when scikit-learn is first imported
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from sklearn.decomposition import PCA

    vectors = np.asarray(vectors, np.float32)
    size = min(2, *vectors.shape)
    if len(vectors) < 2 or not vectors.std(axis=0).any():
        return Projection(np.zeros((len(vectors), 2)), "all the same")
    if tsne and len(vectors) >= 5:
        from sklearn.manifold import TSNE

        # 50 directions hold nearly all of it, and the neighbours are found in a tenth of the time
        few = PCA(min(50, *vectors.shape), random_state=0).fit_transform(vectors)
        perplexity = min(30.0, (len(vectors) - 1) / 3)
        points = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(few)
        return Projection(points, "t-SNE: neighbours are alike; how far apart groups lie says little")
    pca = PCA(size, random_state=0)
    points = np.zeros((len(vectors), 2))
    points[:, :size] = pca.fit_transform(vectors)
    held = float(pca.explained_variance_ratio_.sum())
    return Projection(points, f"PCA: these two directions hold {held:.0%} of how the vectors differ")


def draw_vector_map(
    projection: Projection,
    groups: ColourGroups,
    picture: Picture,
    title: str,
    progress: Progress | None = None,
) -> Figure:
    """Draw vectors on a plane: thumbnails as far as there is room, dots for all others.

    Parameters
    ----------
    projection
        n points.
    groups
        What the points are coloured by.
    picture
        Returns the photo of a point, or None if it is gone; asked only for those that have room.
    title
        Above the map.
    progress
        Wraps the points whose photos are read.
    """
    across, down = np.ptp(projection.points, axis=0).tolist()
    ratio = min(1.35, max(0.8, across / down)) if down > 0 else 1.35
    figure = new_figure((ratio * _MAP_INCHES + _LEGEND_INCHES, _MAP_INCHES))
    axis = figure.subplots()
    points, colours = projection.points, [groups.colours[name] for name in groups.names]
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    heading = axis.set_title("x", color=INK, size=11, parse_math=False)
    axis.set_xlabel(projection.said, color=QUIET)
    size = 14 if len(points) < 3000 else 5
    axis.scatter(*points.T, s=size, c=colours, linewidths=0, alpha=0.7, zorder=1)
    axis.set_aspect("equal", adjustable="datalim")
    side = min(_THUMBNAILS[1], max(_THUMBNAILS[0], 500 / len(points) ** 0.5))
    axis.margins(side / 72 / _MAP_INCHES / 2 + 0.03)
    if len(groups.colours) > 1:
        _draw_legend(figure, groups.colours)
    figure.draw_without_rendering()  # only now it is known how wide the map is, beside its legend
    fit_text(heading, title, axis.bbox.width, 120, lines=2)
    figure.draw_without_rendering()  # and below its title where, and how much room thumbnails have
    chosen = choose_spread_points(axis.transData.transform(points), side * _AIR * figure.dpi / 72)
    thumbnails = []
    for point in progress(chosen, len(chosen), "thumbnail") if progress else chosen:
        image = picture(point)
        if image is not None:
            small = _draw_thumbnail(axis, points[point], image, side, colours[point])
            thumbnails.append((small, small.get_zoom()))
    _scale_with_figure(figure, thumbnails)
    return figure


def choose_spread_points(points: np.ndarray, room: float) -> list[int]:
    """Choose points that are at least ``room`` apart, across or down: first the typical ones of full places.

    Parameters
    ----------
    points : (n, 2) float
    room
        In the same units.

    Returns
    -------
    chosen : list of int
        Rows of `points`.
    """
    cells = np.floor(points / room).astype(np.int64)
    _, which, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1)
    means = np.stack([np.bincount(which, column) / counts for column in points.T], axis=1)
    off = np.abs(points - means[which]).max(axis=1)
    taken: dict[tuple[int, int], list[int]] = {}
    chosen = []
    for point in np.lexsort((off, -counts[which])).tolist():
        x, y = cells[point].tolist()
        near = [p for i in (x - 1, x, x + 1) for j in (y - 1, y, y + 1) for p in taken.get((i, j), ())]
        if not near or (np.abs(points[near] - points[point]).max(axis=1) >= room).all():
            taken.setdefault((x, y), []).append(point)
            chosen.append(point)
    return chosen


# --- details -----------------------------------------------------------------------------------------------


def find_photo_collection(store: Store, dataset: str) -> CollectionRef:
    """Return the collection of photos that a dataset has: by CLIP, or by ViT alone."""
    collections = (c for c in store.collections.list_all() if c.ref.dataset == dataset and c.rows)
    refs = [collection.ref for collection in collections if collection.ref.kind != "faces"]
    if not refs:
        raise UserError(f"{store.uri}: no photos in the collections of dataset {dataset!r}: nothing to draw")
    return refs[0]


def _sample_keys(keys: np.ndarray, most: int) -> list[int]:
    if len(keys) > most:
        keys = np.sort(np.random.default_rng(0).choice(keys, most, replace=False))
    return keys.tolist()


def _read_vectors(store: Store, ref: CollectionRef, keys: Sequence[int]) -> np.ndarray:
    """Return vectors in the order of their keys; in batches, for Milvus sends lists of Python's floats."""
    batches = (keys[start : start + _KEYS_A_BATCH] for start in range(0, len(keys), _KEYS_A_BATCH))
    return np.concatenate([np.stack(list(store.read_vectors(ref, batch).values())) for batch in batches])


def _group_by_class(rows: Sequence[dict[str, Any]]) -> ColourGroups | None:
    """Group photos by what they show; None if that is known of none."""
    labels = [row["class_label"] for row in rows]
    frequent = [label for label, _ in Counter(filter(None, labels)).most_common(MAX_GROUPS)]
    colours = dict(zip(frequent, PALETTE, strict=False))
    return _make_groups(labels, colours, ", coloured by what they show") if frequent else None


def _group_by_person(rows: Sequence[dict[str, Any]], cast: Sequence[str]) -> ColourGroups:
    """Group photos by the most frequent of the people in them."""
    counts = Counter(name for row in rows for name in row["face_labels"])
    frequent = [name for name, _ in counts.most_common(MAX_GROUPS)]
    names = [max(row["face_labels"], key=lambda name: counts[name], default="") for row in rows]
    return _make_groups(
        names, {n: choose_person_colour(n, cast) for n in frequent}, ", coloured by who is in them"
    )


def _make_groups(names: Sequence[str], colours: dict[str, str], said: str) -> ColourGroups:
    names = [name if name in colours or not name else OTHERS for name in names]
    colours = colours | {name: GREYS.get(name, QUIET) for name in (OTHERS, "") if name in names}
    return ColourGroups(names, colours, said if any(names) else "")


def _draw_thumbnail(
    axis: Axes, point: np.ndarray, image: Image.Image, side: float, colour: str
) -> OffsetImage:
    """Draw a thumbnail around a point, in a frame of its colour."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    small = OffsetImage(np.asarray(image), zoom=side / max(image.size))
    frame = {"edgecolor": colour, "facecolor": colour, "linewidth": 1.5}
    box = AnnotationBbox(small, tuple(point), pad=0.05, bboxprops=frame, zorder=2)
    box.set_in_layout(False)  # else the map would shrink for it
    axis.add_artist(box)
    return small


def _scale_with_figure(figure: Figure, thumbnails: Sequence[tuple[OffsetImage, float]]) -> None:
    """Let thumbnails grow and shrink with the window, so that they never cover each other."""
    across, down = figure.get_size_inches()

    def resized(_: object) -> None:
        factor = min(figure.get_figwidth() / across, figure.get_figheight() / down)
        for small, zoom in thumbnails:
            small.set_zoom(zoom * factor)

    figure.canvas.mpl_connect("resize_event", resized)


def _draw_legend(figure: Figure, colours: Mapping[str, str]) -> None:
    from matplotlib.lines import Line2D

    dots = [Line2D([], [], marker="o", linestyle="", color=colour) for colour in colours.values()]
    write_legend(figure, dots, [name or "unknown" for name in colours])


def write_legend(figure: Figure, handles: Sequence[Any], names: Sequence[str]) -> None:
    """Write a legend on the right, whatever letters a name has."""
    legend = figure.legend(handles, [""] * len(names), loc="outside right upper", frameon=False)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=shorten(name.strip(), 28), parse_math=False, color=INK)
