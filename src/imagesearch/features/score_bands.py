"""Score bands: they are used to decide which hits of a text search are relevant, and whether any fits.

A raw similarity has no fixed meaning: the score of a photo that shows what the query describes depends on the
model, the collection and the query. Therefore two bands of scores are measured when a collection is built:

- **What fits**: each photo's score with its best-scoring text of `EVERYDAY_TEXTS`. Nearest Neighbor
  Normalization (Chowdhury et al., EMNLP 2024, arXiv:2410.24114) and query-bank normalisation (Bogolin et al.,
  CVPR 2022) measure similar quantities with a bank of texts. The median and the spread are stored.
- **What is absent**: the score of the best photo for each text of `ABSENT_TEXTS`. These texts are like the
  cohort of impostors that makes scores comparable in speaker verification (Auckenthaler, Carey and
  Lloyd-Thomas, "Score normalization for text-independent speaker verification systems", Digital Signal
  Processing 10, 2000). Their scores grow with the size of the collection, as the best score of a query does.
  The median is stored.

The slope is stored too: how much a text's best score changes with its mean score over all photos.
For a query, both bands are shifted by the slope times the query's mean score.

A photo fits on its own if its score reaches two thresholds: half way between the bands (the boundary of two
classes with equal spread), and three spreads below the median of what fits. If no photo does, nothing fits
the query. If at least one does, all photos that score at least as high as what is absent are relevant: two
thresholds with hysteresis (Canny, IEEE PAMI 8, 1986). All thresholds are relative to measured scores, so no
number here depends on a model: multiplying all scores by a factor or adding a constant changes no decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# The band of what fits extends this many spreads to each side of its median. About 0.1% of normally
# distributed scores are below it.
_REACH = 3.0
# Scores closer than this are treated as equal. Rounding makes the same inner product differ by about 1e-7
# between rows.
_SAME_SCORE = 1e-6
# Neither spread nor slope can be estimated from fewer photos; then the only threshold is half way between the
# bands.
MIN_PHOTOS = 20
# Calibrated scores of the query's mean score, of what is absent, of the fit threshold, and of the median and
# the upper end of what fits.
_MARKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_BATCH_ROWS = 4096


@dataclass(frozen=True)
class CalibratedScores:
    """The calibrated scores of a query's hits, and the number of relevant hits.

    Parameters
    ----------
    calibrated : (n,) float64
        Scores from 0 to 1 that can be compared between queries and collections. 0 is the query's mean score
        over all photos, 0.25 the typical best score of a query for absent content, 0.5 the score from which a
        photo fits on its own, 0.75 the usual score of a photo that fits, and 1 a score that hardly any photo
        reaches. Between these values the raw score is interpolated linearly, so the order of the hits does
        not change.
    relevant_count
        Number of relevant hits, which are those with the highest scores; 0 means that nothing fits.
    fit_threshold
        The raw score whose calibrated score is 0.5. The best hit must reach it.
    relevance_threshold
        The raw score at calibrated 0.25. Relevant hits reach it.
    """

    calibrated: np.ndarray
    relevant_count: int
    fit_threshold: float
    relevance_threshold: float


@dataclass(frozen=True)
class ScoreBands:
    """The score bands of a collection, from `measure_bands`. The field names are the keys of ``bands.json``.

    Parameters
    ----------
    centre : (d,) float32
        Mean of the photos' vectors. Its inner product with a query is the query's mean score over all photos.
    slope
        Shift of a query's bands per unit of its mean score; 0 if the bands are the same for all texts.
    nowhere
        Median of the best scores of `ABSENT_TEXTS`, minus the slope times the texts' mean scores.
    usual, spread
        Median and robust standard deviation of the photos' best scores with `EVERYDAY_TEXTS`, each score
        minus the slope times the text's mean score.
    """

    centre: np.ndarray
    slope: float
    nowhere: float
    usual: float
    spread: float

    def to_dict(self) -> dict[str, Any]:
        """Return the bands as values that JSON supports."""
        return {**self.__dict__, "centre": [round(float(value), 7) for value in self.centre]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ScoreBands:
        """Return the bands from the result of `to_dict`."""
        return cls(**{**values, "centre": np.asarray(values["centre"], np.float32)})

    def calibrate(
        self, scores: Sequence[float] | np.ndarray, query: np.ndarray, sample: np.ndarray | None = None
    ) -> CalibratedScores:
        """Calibrate the scores of a query's hits, and count the relevant hits.

        Hits that passed a filter are compared with the bands of the whole collection, not with each other.
        The bands are valid only for queries of one text. They were not measured for photos, or for a text to
        which another text is added or from which one is subtracted.

        Parameters
        ----------
        scores : n floats
            Raw scores of any number of hits, in any order.
        query : (d,)
            The text's vector.
        sample : (m, d) float32, optional
            Vectors of the collection, for hits that passed a filter. If one of these photos fits on its own,
            the collection shows what the query describes, and no photo that passed the filter is required to
            fit on its own.

        Returns
        -------
        CalibratedScores
        """
        scores, marks = np.asarray(scores, np.float64), self._locate_marks(query)
        best = scores.max(initial=-np.inf)
        if sample is not None and len(sample):
            best = max(best, float((sample @ query).max()))
        relevant_count = 0
        if best >= marks[2] - _SAME_SCORE:
            relevant_count = int(np.count_nonzero(scores >= marks[1] - _SAME_SCORE))
        # np.interp requires ascending values; the step is larger than rounding errors
        rising = marks + _SAME_SCORE * np.arange(len(marks))
        calibrated = np.interp(scores, rising, _MARKS)
        return CalibratedScores(
            calibrated, relevant_count, fit_threshold=float(marks[2]), relevance_threshold=float(marks[1])
        )

    def _locate_marks(self, query: np.ndarray) -> np.ndarray:
        """Return the raw scores at which a query's calibrated scores are `_MARKS`."""
        mean = float(self.centre @ query)
        absent, usual = (self.slope * mean + level for level in (self.nowhere, self.usual))
        reach = _REACH * self.spread
        fits = max(usual - reach, (absent + usual) / 2)
        return np.maximum.accumulate([mean, absent, fits, usual, usual + reach])


def measure_bands(photos: np.ndarray, everyday: np.ndarray, absent: np.ndarray) -> ScoreBands:
    """Measure the bands of a collection.

    Parameters
    ----------
    photos : (n, d) float32
        All vectors of the collection. Bands of fewer than `MIN_PHOTOS` photos are not reliable.
    everyday, absent : (m, d), (k, d) float32
        Vectors of `EVERYDAY_TEXTS` and `ABSENT_TEXTS`, encoded with the same model and the query template.

    Returns
    -------
    ScoreBands
    """
    if not len(photos):
        return ScoreBands(np.zeros(everyday.shape[1], np.float32), 0.0, 0.0, 0.0, 0.0)
    centre = photos.mean(axis=0, dtype=np.float64)
    batches = [photos[i : i + _BATCH_ROWS] for i in range(0, len(photos), _BATCH_ROWS)]
    tops = np.max([(batch @ absent.T).max(axis=0) for batch in batches], axis=0)
    means = absent @ centre
    enough = len(photos) >= MIN_PHOTOS
    slope = _fit_slope(means, tops) if enough else 0.0
    expected = slope * (everyday @ centre)
    best = np.concatenate([(batch @ everyday.T - expected).max(axis=1) for batch in batches])
    low, usual, high = np.quantile(best, (0.25, 0.5, 0.75))
    absent_level = float(np.median(tops - slope * means))
    # half of normally distributed scores are within 0.674 standard deviations of their median
    spread = (high - low) / 1.349 if enough else abs(usual - absent_level)
    return ScoreBands(centre.astype(np.float32), slope, absent_level, float(usual), float(spread))


def _fit_slope(means: np.ndarray, tops: np.ndarray) -> float:
    """Return the slope of the best scores over the mean scores by least squares, limited to 0 to 1."""
    spread = float(np.var(means))
    if spread < 1e-12:
        return 0.0
    return float(np.clip(np.mean((means - means.mean()) * (tops - tops.mean())) / spread, 0.0, 1.0))
