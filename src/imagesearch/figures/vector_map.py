"""A map of a collection's vectors with thumbnails: similar photos are near each other."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.figures.display import create_figure, fit_text, report_figure_path, show_figure
from imagesearch.figures.legend import GREYS, MAX_GROUPS, OTHERS, draw_legend
from imagesearch.figures.style import INK, PALETTE, QUIET, choose_person_colour
from imagesearch.pipeline import Dataset, Progress
from imagesearch.store import CollectionRef, Store, Vocabulary
from imagesearch.text_table import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.offsetbox import OffsetImage

    PictureLoader = Callable[[int], Image.Image | None]

MAX_POINTS = {"pca": 10_000, "tsne": 2_000}
"""Maximum number of photos by layout. With more, dots cover each other, and t-SNE takes minutes."""
_MAP_INCHES, _LEGEND_INCHES = 9.5, 1.6
_THUMBNAIL_POINTS = (46, 120)  # longer side on the map: minimum (many photos) and maximum (few photos)
_SPACING = 1.15  # minimum distance of thumbnails in their own sizes; dots stay visible between them
_THUMBNAIL_PIXELS = 160  # also sharp in a PDF
_KEYS_PER_BATCH = 5_000


@dataclass(frozen=True)
class ColourGroups:
    """The groups that give points their colours.

    Attributes
    ----------
    group_names
        The group of each point.
    colours
        The colour of each group.
    description
        What the groups are, as the end of a title.
    """

    group_names: Sequence[str]
    colours: Mapping[str, str]
    description: str = ""


@dataclass(frozen=True)
class Projection:
    """Vectors projected onto a plane.

    Attributes
    ----------
    points : (n, 2) float64
        The point of each vector.
    description
        How to interpret the points.
    """

    points: np.ndarray
    description: str


# --- from a collection to a figure -------------------------------------------------------------------------


def show_vector_map(
    dataset: Dataset, store: Store, save: Path, window: bool, *, tsne: bool = False, progress: Progress
) -> None:
    """Save a map of the vectors in a dataset's collection, show it in a window if possible, print its path.

    If there are more photos than `MAX_POINTS`, the map shows a random sample; its title says so.

    Parameters
    ----------
    dataset, store
        The dataset, and the store with its collection.
    save, window
        As in `imagesearch.figures.show_figure`.
    tsne
        Use t-SNE in place of PCA.
    progress
        Wraps the photos whose thumbnails are read, with their number and the unit.

    Raises
    ------
    UserError
        If the dataset has no collection of photos, or an empty one.
    """
    name = dataset.config.dataset.name
    ref = find_photo_collection(store, name)
    all_keys = np.sort([hit.id for hit in store.read_all_rows(ref)])
    keys = _sample_keys(all_keys, MAX_POINTS["tsne" if tsne else "pca"])
    hits = store.read_rows(ref, keys, ("path", "class_label", "face_labels"))
    rows = [hit.fields for hit in hits]
    if tsne:
        print(
            f"t-SNE: computing the layout of {format_count(len(hits), 'photo')}; 2,000 take up to a minute",
            file=sys.stderr,
        )
    projection = project_vectors(_read_vectors(store, ref, [hit.id for hit in hits]), tsne)
    groups = _group_by_class(rows) or _group_by_person(rows, Vocabulary.read(dataset.folder).cast)
    shown = format_count(len(keys), "photo")
    if len(keys) < len(all_keys):
        shown = f"{len(keys):,} of {format_count(len(all_keys), 'photo')}, chosen at random,"
    title = f"{name}: {shown} by their {ref.kind.upper()} vectors{groups.description}"

    def load_picture(point: int) -> Image.Image | None:
        return dataset.load_thumbnail(rows[point]["path"], _THUMBNAIL_PIXELS)

    figure = draw_vector_map(projection, groups, load_picture, title, progress)
    report_figure_path(show_figure(figure, f"map of vectors {name}", save=save, window=window))


# --- the map -----------------------------------------------------------------------------------------------


def project_vectors(vectors: np.ndarray, tsne: bool = False) -> Projection:
    """Project vectors onto a plane.

    Parameters
    ----------
    vectors : (n, d) float32
        At least one.
    tsne
        Use t-SNE (van der Maaten and Hinton 2008,
        https://scikit-learn.org/stable/modules/manifold.html#t-sne) in place of PCA. Fewer than five vectors
        are always projected by PCA.
    """
    # By default, waiting OpenMP threads use processor time, on a busy machine most
    # of it. The variable is read when scikit-learn is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from sklearn.decomposition import PCA

    vectors = np.asarray(vectors, np.float32)
    size = min(2, *vectors.shape)
    if len(vectors) < 2 or not vectors.std(axis=0).any():
        return Projection(np.zeros((len(vectors), 2)), "all vectors are equal")
    if tsne and len(vectors) >= 5:
        from sklearn.manifold import TSNE

        # 50 directions explain nearly all of the variance, and neighbours are found in a tenth of the time
        reduced = PCA(min(50, *vectors.shape), random_state=0).fit_transform(vectors)
        perplexity = min(30.0, (len(vectors) - 1) / 3)
        points = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(reduced)
        return Projection(
            points, "t-SNE: neighbours are similar; distances between groups are not meaningful"
        )
    pca = PCA(size, random_state=0)
    points = np.zeros((len(vectors), 2))
    points[:, :size] = pca.fit_transform(vectors)
    explained = float(pca.explained_variance_ratio_.sum())
    return Projection(points, f"PCA: these two directions explain {explained:.0%} of the variance")


def draw_vector_map(
    projection: Projection,
    groups: ColourGroups,
    load_picture: PictureLoader,
    title: str,
    progress: Progress | None = None,
) -> Figure:
    """Draw projected vectors: a thumbnail where there is space, a dot for each other vector.

    Parameters
    ----------
    projection
        n points.
    groups
        The groups that give the points their colours.
    load_picture
        Returns the photo of a point, or None if it is missing; called only for points with a thumbnail.
    title
        Title of the map.
    progress
        Wraps the points whose photos are read.
    """
    across, down = np.ptp(projection.points, axis=0).tolist()
    ratio = min(1.35, max(0.8, across / down)) if down > 0 else 1.35
    figure = create_figure((ratio * _MAP_INCHES + _LEGEND_INCHES, _MAP_INCHES))
    axis = figure.subplots()
    points, colours = projection.points, [groups.colours[name] for name in groups.group_names]
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    heading = axis.set_title("x", color=INK, size=11, parse_math=False)
    axis.set_xlabel(projection.description, color=QUIET)
    size = 14 if len(points) < 3000 else 5
    axis.scatter(*points.T, s=size, c=colours, linewidths=0, alpha=0.7, zorder=1)
    axis.set_aspect("equal", adjustable="datalim")
    side = min(_THUMBNAIL_POINTS[1], max(_THUMBNAIL_POINTS[0], 500 / len(points) ** 0.5))
    axis.margins(side / 72 / _MAP_INCHES / 2 + 0.03)
    if len(groups.colours) > 1:
        _draw_colour_legend(figure, groups.colours)
    figure.draw_without_rendering()  # computes the width of the map beside its legend
    fit_text(heading, title, axis.bbox.width, 120, max_lines=2)
    figure.draw_without_rendering()  # computes the position of the map below its title
    chosen = choose_spread_points(axis.transData.transform(points), side * _SPACING * figure.dpi / 72)
    thumbnails = []
    for point in progress(chosen, len(chosen), "thumbnail") if progress else chosen:
        image = load_picture(point)
        if image is not None:
            thumbnail = _draw_thumbnail(axis, points[point], image, side, colours[point])
            thumbnails.append((thumbnail, thumbnail.get_zoom()))
    _scale_with_figure(figure, thumbnails)
    return figure


def choose_spread_points(points: np.ndarray, distance: float) -> list[int]:
    """Choose points that are at least a distance apart in x or y, typical points of dense areas first.

    Parameters
    ----------
    points : (n, 2) float
    distance
        In the units of `points`.

    Returns
    -------
    chosen : list of int
        Rows of `points`.
    """
    cells = np.floor(points / distance).astype(np.int64)
    _, cell_of, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    cell_of = cell_of.reshape(-1)
    means = np.stack([np.bincount(cell_of, column) / counts for column in points.T], axis=1)
    from_mean = np.abs(points - means[cell_of]).max(axis=1)
    chosen_by_cell: dict[tuple[int, int], list[int]] = {}
    chosen = []
    for point in np.lexsort((from_mean, -counts[cell_of])).tolist():
        x, y = cells[point].tolist()
        around = [(i, j) for i in (x - 1, x, x + 1) for j in (y - 1, y, y + 1)]
        near = [other for cell in around for other in chosen_by_cell.get(cell, ())]
        if not near or (np.abs(points[near] - points[point]).max(axis=1) >= distance).all():
            chosen_by_cell.setdefault((x, y), []).append(point)
            chosen.append(point)
    return chosen


# --- details -----------------------------------------------------------------------------------------------


def find_photo_collection(store: Store, dataset: str) -> CollectionRef:
    """Return the collection of a dataset's photos: that of CLIP, or that of ViT if it is the only one."""
    collections = (c for c in store.collections.list_all() if c.ref.dataset == dataset and c.rows)
    refs = [collection.ref for collection in collections if collection.ref.kind != "faces"]
    if not refs:
        raise UserError(f"{store.uri}: the collections of dataset {dataset!r} have no photos to draw")
    return refs[0]


def _sample_keys(keys: np.ndarray, limit: int) -> list[int]:
    if len(keys) > limit:
        keys = np.sort(np.random.default_rng(0).choice(keys, limit, replace=False))
    return keys.tolist()


def _read_vectors(store: Store, ref: CollectionRef, keys: Sequence[int]) -> np.ndarray:
    """Return vectors in the order of their keys. Reads batches: Milvus returns lists of Python floats."""
    batches = (keys[start : start + _KEYS_PER_BATCH] for start in range(0, len(keys), _KEYS_PER_BATCH))
    return np.concatenate([np.stack(list(store.read_vectors(ref, batch).values())) for batch in batches])


def _group_by_class(rows: Sequence[dict[str, Any]]) -> ColourGroups | None:
    """Group photos by class; None if no photo has a class."""
    labels = [row["class_label"] for row in rows]
    frequent = [label for label, _ in Counter(filter(None, labels)).most_common(MAX_GROUPS)]
    colours = dict(zip(frequent, PALETTE, strict=False))
    return _make_groups(labels, colours, ", coloured by class") if frequent else None


def _group_by_person(rows: Sequence[dict[str, Any]], cast: Sequence[str]) -> ColourGroups:
    """Group photos by the person in them who is the most frequent in all photos."""
    counts = Counter(name for row in rows for name in row["face_labels"])
    colours = {name: choose_person_colour(name, cast) for name, _ in counts.most_common(MAX_GROUPS)}
    names = [max(row["face_labels"], key=lambda name: counts[name], default="") for row in rows]
    return _make_groups(names, colours, ", coloured by person")


def _make_groups(names: Sequence[str], colours: dict[str, str], description: str) -> ColourGroups:
    """Join all groups that do not have their own colour."""
    group_names = [name if name in colours or not name else OTHERS for name in names]
    greys = {OTHERS: GREYS[OTHERS], "": QUIET}
    colours = colours | {name: grey for name, grey in greys.items() if name in group_names}
    return ColourGroups(group_names, colours, description if any(group_names) else "")


def _draw_thumbnail(
    axis: Axes, point: np.ndarray, image: Image.Image, side: float, colour: str
) -> OffsetImage:
    """Draw a thumbnail centred at a point, with a frame in the colour of the point."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    thumbnail = OffsetImage(np.asarray(image), zoom=side / max(image.size))
    frame = {"edgecolor": colour, "facecolor": colour, "linewidth": 1.5}
    box = AnnotationBbox(thumbnail, tuple(point), pad=0.05, bboxprops=frame, zorder=2)
    box.set_in_layout(False)  # otherwise the layout would shrink the map
    axis.add_artist(box)
    return thumbnail


def _scale_with_figure(figure: Figure, thumbnails: Sequence[tuple[OffsetImage, float]]) -> None:
    """Scale thumbnails with the window, so that they never cover each other."""
    width, height = figure.get_size_inches()

    def scale_thumbnails(_: object) -> None:
        factor = min(figure.get_figwidth() / width, figure.get_figheight() / height)
        for thumbnail, zoom in thumbnails:
            thumbnail.set_zoom(zoom * factor)

    figure.canvas.mpl_connect("resize_event", scale_thumbnails)


def _draw_colour_legend(figure: Figure, colours: Mapping[str, str]) -> None:
    from matplotlib.lines import Line2D

    dots = [Line2D([], [], marker="o", linestyle="", color=colour) for colour in colours.values()]
    draw_legend(figure, dots, [name or "unknown" for name in colours])
