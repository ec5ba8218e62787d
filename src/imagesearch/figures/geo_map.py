"""A map of where photos were taken: points and clusters over land and borders, drawn without a network."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imagesearch.errors import UserError
from imagesearch.figures.display import create_figure, report_figure_path, show_figure
from imagesearch.figures.point_labels import LabelledPoint, draw_point_labels
from imagesearch.figures.style import ACCENT, INK, QUIET, shorten_text
from imagesearch.geo import MAP_ATTRIBUTION, PhotoLocation, find_map_shapes
from imagesearch.text_table import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_INCHES, _HEIGHT_INCHES = 11.0, (3.5, 8.0)  # minimum and maximum of the height
_MIN_MARGIN = 0.02  # degrees; the map of one place shows some streets around it
_GRATICULE_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 45)  # degrees between lines
_CLUSTERS_ACROSS = 36  # the radius of a cluster is the size of the map divided by this
_MAX_CITIES, _MAX_NAME = 3, 24  # cities, and letters of a city, in the label of a cluster
_MIN_SHAPE = 0.35  # minimum height of the map in its width, and of its width in its height
_MAX_AREA, _MANY_CLUSTERS = 500, 60  # points; circles are smaller if there are more clusters
_LAND, _WATER, _COAST, _BORDER = "#f1f2ee", "#ffffff", "#a9b4bf", "#c3cad2"
_TOLERANCE = 0.4  # pixels that a simplified coast can be off


@dataclass(frozen=True)
class MapCluster:
    """Photos near each other on the map: mean position and number of photos.

    Attributes
    ----------
    cities : tuple of (str, int)
        Each city with its number of photos, the most frequent first. Photos without a city are not counted.
    """

    latitude: float
    longitude: float
    photos: int
    cities: tuple[tuple[str, int], ...] = ()


def show_geo_map(locations: Mapping[int, PhotoLocation], dataset: str, save: Path, window: bool) -> None:
    """Save a map of the photos that have a position, show it in a window if possible, and print its path.

    Raises
    ------
    UserError
        If no photo has a position.
    """
    placed = [location for location in locations.values() if location.metadata.latitude is not None]
    if not placed:
        raise UserError("no photo has a position, so there is no map to draw")
    latitudes = np.array([location.metadata.latitude for location in placed])
    longitudes = np.array([location.metadata.longitude for location in placed])
    title = f"{dataset}: {len(placed)} of {format_count(len(locations), 'photo')} with a position"
    figure = draw_geo_map(latitudes, longitudes, [location.address.city for location in placed], title)
    report_figure_path(show_figure(figure, f"map {dataset}", save=save, window=window))


def draw_geo_map(latitudes: np.ndarray, longitudes: np.ndarray, cities: Sequence[str], title: str) -> Figure:
    """Draw photos by longitude and latitude, with a circle for each cluster, labelled with its cities.

    Parameters
    ----------
    latitudes, longitudes : (n,) float64
        Degrees; at least one. The edge of the map is in the widest gap between longitudes, so that photos on
        both sides of the date line are neighbours.
    cities
        City of each photo; "" if unknown.
    title
        Title of the map.
    """
    latitudes, longitudes = np.asarray(latitudes, float), unroll_longitudes(np.asarray(longitudes, float))
    (west, east), (south, north), aspect = _choose_view(longitudes, latitudes)
    height = _WIDTH_INCHES * (north - south) * aspect / (east - west)
    figure = create_figure((_WIDTH_INCHES, min(max(height, _HEIGHT_INCHES[0]), _HEIGHT_INCHES[1])))
    axis = figure.subplots()
    axis.set(xlim=(west, east), ylim=(south, north))
    axis.set_aspect(aspect)
    axis.spines[:].set(visible=True, color=QUIET, linewidth=0.6)
    _draw_shapes(axis, (west, east), (south, north))
    _draw_graticule(axis, (west, east), (south, north))
    max_distance = max((east - west) / 2, north - south) / _CLUSTERS_ACROSS
    clusters = cluster_positions(latitudes, longitudes, cities, max_distance)
    axis.scatter(longitudes, latitudes, s=6, color=ACCENT, linewidths=0, zorder=4)
    areas = _draw_clusters(axis, clusters)
    axis.set_title(title, color=INK, parse_math=False)
    axis.set_xlabel(MAP_ATTRIBUTION, loc="right", size=6, color=QUIET)
    figure.draw_without_rendering()  # computes the position of the map, which the labels require
    points = [
        LabelledPoint(cluster.longitude, cluster.latitude, math.sqrt(area) / 2, _make_labels(cluster))
        for cluster, area in zip(clusters, areas, strict=True)
    ]
    draw_point_labels(axis, points, np.column_stack([longitudes, latitudes]))
    return figure


def unroll_longitudes(longitudes: np.ndarray) -> np.ndarray:
    """Return longitudes that start at the eastern edge of their widest gap, without a jump after it."""
    values = np.unique(longitudes)
    gaps = np.diff(np.append(values, values[0] + 360))
    if len(values) < 2 or gaps.argmax() == len(values) - 1:
        return longitudes  # the widest gap is at the date line
    start = values[gaps.argmax() + 1]
    return np.where(longitudes < start, longitudes + 360, longitudes)


def cluster_positions(
    latitudes: np.ndarray, longitudes: np.ndarray, cities: Sequence[str], max_distance: float
) -> list[MapCluster]:
    """Group photos by cells of a grid, then join cells around the fullest ones; the largest cluster first.

    Parameters
    ----------
    latitudes, longitudes : (n,) float64
        Degrees.
    cities
        City of each photo; "" if unknown.
    max_distance
        Maximum distance in degrees from the centre of a cluster's fullest cell to those of its other cells.
    """
    cells = np.round(np.stack([latitudes, longitudes], axis=1) / max_distance * 4).astype(np.int64)
    _, cell_of, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    cell_of = cell_of.reshape(-1)
    centres = np.stack([np.bincount(cell_of, values) / counts for values in (latitudes, longitudes)], axis=1)
    cluster_of_cell = np.full(len(counts), -1)
    for cell in np.argsort(-counts, kind="stable"):
        if cluster_of_cell[cell] < 0:
            near = np.hypot(*(centres - centres[cell]).T) <= max_distance
            cluster_of_cell[near & (cluster_of_cell < 0)] = cell
    cluster_of = cluster_of_cell[cell_of]
    clusters = []
    for cluster in np.unique(cluster_of_cell):
        members = np.flatnonzero(cluster_of == cluster)
        counted = Counter(cities[i] for i in members if cities[i])
        latitude, longitude = float(latitudes[members].mean()), float(longitudes[members].mean())
        clusters.append(MapCluster(latitude, longitude, len(members), tuple(counted.most_common())))
    return sorted(clusters, key=lambda cluster: -cluster.photos)


def _choose_view(
    longitudes: np.ndarray, latitudes: np.ndarray
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """Return the limits of both axes, and the length of a degree of latitude in those of longitude."""
    west, east = _compute_limits(longitudes)
    south, north = _compute_limits(latitudes)
    # a degree of longitude is shorter near the poles; beyond 75 degrees the map would become too narrow
    aspect = 1 / math.cos(math.radians(min(75.0, abs(south + north) / 2)))
    missing = _MIN_SHAPE * (east - west) / aspect - (north - south)
    if missing > 0:
        south, north = south - missing / 2, north + missing / 2
    missing = min(360.0, _MIN_SHAPE * (north - south) * aspect) - (east - west)
    if missing > 0:
        west, east = west - missing / 2, east + missing / 2
    return (west, east), (max(-90.0, south), min(90.0, north)), aspect


def _compute_limits(values: np.ndarray) -> tuple[float, float]:
    """Return the limits of an axis, with a margin for circles and labels."""
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) + _MIN_MARGIN
    return low - margin, high + margin


def _draw_shapes(axis: Axes, longitudes: tuple[float, float], latitudes: tuple[float, float]) -> None:
    """Draw land, and thin lines for coasts and borders."""
    from matplotlib.collections import LineCollection
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    pixels = _WIDTH_INCHES * axis.figure.dpi
    tolerance = _TOLERANCE * (longitudes[1] - longitudes[0]) / pixels
    shapes = find_map_shapes(longitudes, latitudes, tolerance)
    if shapes.land:
        outline = Outline.make_compound_path(*(Outline(ring, closed=True) for ring in shapes.land))
        land = axis.add_patch(PathPatch(outline, facecolor=_LAND, linewidth=0, zorder=0.1))
        borders = axis.add_collection(
            LineCollection(shapes.borders, colors=_BORDER, linewidths=0.7, zorder=0.2)
        )
        borders.set_clip_path(land)  # in the sea, the borders are coarse
    if shapes.water:
        outline = Outline.make_compound_path(*(Outline(ring, closed=True) for ring in shapes.water))
        axis.add_patch(PathPatch(outline, facecolor=_WATER, linewidth=0, zorder=0.3))
    axis.add_collection(LineCollection(shapes.coasts, colors=_COAST, linewidths=0.7, zorder=0.4))


def _draw_clusters(axis: Axes, clusters: Sequence[MapCluster]) -> list[float]:
    """Draw a circle for each cluster; its area grows with its photos. Return the areas in points."""
    most = max(cluster.photos for cluster in clusters)
    largest = _MAX_AREA * min(1.0, _MANY_CLUSTERS / len(clusters))
    areas = [30 + largest * cluster.photos / most for cluster in clusters]
    axis.scatter(
        [cluster.longitude for cluster in clusters],
        [cluster.latitude for cluster in clusters],
        s=areas,
        color=ACCENT,
        alpha=0.35,
        linewidths=0,
        zorder=3,
    )
    return areas


def _make_labels(cluster: MapCluster) -> tuple[str, ...]:
    """Return the labels of a cluster, the most detailed first: a line for each city, or one line for all.

    A number after the name of a single city is that of its photos, not of all photos of the cluster.
    """
    if not cluster.cities:
        return (str(cluster.photos),)
    shown = cluster.cities[: _MAX_CITIES if len(cluster.cities) <= _MAX_CITIES else _MAX_CITIES - 1]
    lines = [_join_count(city, photos) for city, photos in shown]
    if (others := cluster.photos - sum(photos for _, photos in shown)) > 0:
        lines.append(_join_count("others", others))
    if len(lines) == 1:
        return (lines[0],)
    (first, photos), more = cluster.cities[0], len(cluster.cities) - 1
    summary = f"{first} +{more}"
    return "\n".join(lines), _join_count(summary, cluster.photos) if more else _join_count(first, photos)


def _join_count(name: str, photos: int) -> str:
    return f"{shorten_text(name, _MAX_NAME)} · {photos}"


def _draw_graticule(axis: Axes, longitudes: tuple[float, float], latitudes: tuple[float, float]) -> None:
    """Draw lines at round degrees within the limits of both axes."""
    ticks, decimals = _choose_ticks(*longitudes)
    axis.set_xticks(ticks, [_format_degrees((tick + 180) % 360 - 180, "EW", decimals) for tick in ticks])
    ticks, decimals = _choose_ticks(*latitudes)
    axis.set_yticks(ticks, [_format_degrees(tick, "NS", decimals) for tick in ticks])
    axis.grid(color=QUIET, alpha=0.2, linewidth=0.5)
    axis.set_axisbelow(True)
    axis.tick_params(length=0, colors=QUIET)


def _choose_ticks(low: float, high: float) -> tuple[list[float], int]:
    """Return about nine round numbers at most, and the number of decimals that they need."""
    step = next((step for step in _GRATICULE_STEPS if (high - low) / step <= 9), _GRATICULE_STEPS[-1])
    ticks = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    return ticks.tolist(), len(f"{step:g}".partition(".")[2])


def _format_degrees(value: float, directions: str, decimals: int) -> str:
    value = round(value, decimals)
    return f"{abs(value):.{decimals}f}°{'' if value in (0, -180) else directions[int(value < 0)]}"
