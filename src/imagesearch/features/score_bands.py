"""What the scores of a text search mean: which hits are relevant, and when nothing fits.

A raw similarity says little: where it starts to mean "this is in the photo" depends on the model, on the
collection and on the query. So two bands of scores are measured when a collection is built:

- **what fits**: each photo's score with the one of `EVERYDAY_TEXTS` that suits it best. That is the
  quantity that Nearest Neighbor Normalization (Chowdhury et al., EMNLP 2024, arXiv:2410.24114) and query-bank
  normalisation (Bogolin et al., CVPR 2022) measure with a bank of texts. Its median and its spread are
  stored;
- **what is absent**: the best photo's score for each of `ABSENT_TEXTS`. They are the cohort of impostors by
  which speaker verification makes scores comparable (Auckenthaler, Carey and Lloyd-Thomas, "Score
  normalization for text-independent speaker verification systems", Digital Signal Processing 10, 2000). As
  best scores of the same collection they grow with its size as those of a query do. Their median is stored,
  and how far a text's mean over all photos moves its best score: so far both bands move with a query.

A photo fits on its own from half way between the bands (the boundary of two classes with equal spread), or
from three spreads below what fits where that is nearer to it. A query that no photo fits so well has found
nothing. If one does, all photos are relevant that score better than the best for something that is absent:
two thresholds with hysteresis (Canny, IEEE PAMI 8, 1986). Everything is relative to what was measured, so
that no number here belongs to a model: multiplying all scores or adding to them changes no decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# How many spreads below its middle the band of what fits ends. Of normal scores 0.1% lie beyond.
_REACH = 3.0
# The same inner product comes out some 1e-7 apart from one row to the next.
_SAME_SCORE = 1e-6
# Of fewer photos neither spread nor slope can be told; half way between the bands decides alone.
MIN_PHOTOS = 20
# The calibrated score at: the query's mean, the best for what is absent, fits, fits as usual, fits best.
_MARKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_BATCH_ROWS = 4096


@dataclass(frozen=True)
class CalibratedScores:
    """What the scores of a query's hits mean.

    Parameters
    ----------
    calibrated : (n,) float64
        0 to 1, for any query of any collection the same: 0 is what the query scores on average over all
        photos, 0.25 what the best photo scores for something that is absent, 0.5 where a photo fits on its
        own, 0.75 as well as photos usually fit, 1 as well as hardly any does; straight lines between. It
        never falls where the raw score rises: the order of the hits stays.
    relevant_count
        How many hits, those that score best, are relevant; 0 says that nothing fits.
    fit_threshold, relevance_threshold
        The raw scores of calibrated 0.5, which the best hit must reach, and of 0.25, which relevant ones do.
    """

    calibrated: np.ndarray
    relevant_count: int
    fit_threshold: float
    relevance_threshold: float


@dataclass(frozen=True)
class ScoreBands:
    """The bands of a collection; measured by `measure_bands`. The field names are keys of ``bands.json``.

    Parameters
    ----------
    centre : (d,) float32
        Mean of the photos' vectors: its product with a query is the query's mean score over all photos.
    slope
        How far a text's mean score moves its bands; 0 where the bands are the same for all texts.
    nowhere
        Median of the best scores of texts of what is absent, less what their means account for.
    usual, spread
        Median and robust standard deviation of how well photos fit, less what the texts' means account for.
    """

    centre: np.ndarray
    slope: float
    nowhere: float
    usual: float
    spread: float

    def to_dict(self) -> dict[str, Any]:
        """Return the bands as JSON can hold them."""
        return {**self.__dict__, "centre": [round(float(value), 7) for value in self.centre]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ScoreBands:
        """Return the bands that `to_dict` wrote."""
        return cls(**{**values, "centre": np.asarray(values["centre"], np.float32)})

    def calibrate(
        self, scores: Sequence[float] | np.ndarray, query: np.ndarray, sample: np.ndarray | None = None
    ) -> CalibratedScores:
        """Calibrate the scores of a query's hits, and tell which are relevant.

        The bands are the whole collection's, so that hits that passed a filter are judged as all would be:
        five photos are not compared with each other. It is for queries of one text; a text with another added
        or taken away, or a photo, scores in bands of its own that were not measured.

        Parameters
        ----------
        scores : n floats
            Raw scores of the hits, in any order; any number of them.
        query : (d,)
            The text's vector.
        sample : (m, d) float32, optional
            Vectors of the collection, for hits that passed a filter: if one of them fits on its own, the
            collection shows what the query asks for, and a photo that passed the filter need not fit on its
            own as well.
        """
        scores, marks = np.asarray(scores, np.float64), self._locate_marks(query)
        best = scores.max(initial=-np.inf)
        if sample is not None and len(sample):
            best = max(best, float((sample @ query).max()))
        relevant_count = 0
        if best >= marks[2] - _SAME_SCORE:
            relevant_count = int(np.count_nonzero(scores >= marks[1] - _SAME_SCORE))
        # np.interp requires that they rise; by more than what rounding alone tells apart
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
        All vectors of the collection; bands of fewer than `MIN_PHOTOS` mean little.
    everyday, absent : (m, d), (k, d) float32
        Vectors of `EVERYDAY_TEXTS` and `ABSENT_TEXTS` by the same model, and with the same words around them
        as queries have.
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
    # half of normal scores lie within 0.674 standard deviations of their middle
    spread = (high - low) / 1.349 if enough else abs(usual - absent_level)
    return ScoreBands(centre.astype(np.float32), slope, absent_level, float(usual), float(spread))


def _fit_slope(means: np.ndarray, tops: np.ndarray) -> float:
    """Return how far the best score moves with the mean (least squares); between not at all and equally."""
    spread = float(np.var(means))
    if spread < 1e-12:
        return 0.0
    return float(np.clip(np.mean((means - means.mean()) * (tops - tops.mean())) / spread, 0.0, 1.0))
