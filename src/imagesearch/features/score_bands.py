"""Which photos a text search found for good, and when nothing fits.

A raw similarity says little: where it starts to mean "this is there" depends on the model, on the collection
and on the query. So two bands of scores are measured when a collection is built:

- **what fits**: each photo's score with the one of some `EVERYDAY` captions that suits it best. That is the
  quantity that Nearest Neighbor Normalization (Chowdhury et al., EMNLP 2024, arXiv:2410.24114) and query-bank
  normalisation (Bogolin et al., CVPR 2022) measure with a bank of texts; kept are its median and its spread;
- **what is nowhere**: the best photo's score for `NOWHERE`, texts of what no album shows. They are the cohort
  of impostors by which speaker verification makes scores comparable (Auckenthaler, Carey and Lloyd-Thomas,
  "Score normalization for text-independent speaker verification systems", Digital Signal Processing 10,
  2000). As best scores of the same collection they grow with its size as those of a query do. Kept is their
  median, and how far a text's mean over all photos moves its best score: so far both bands move with a query.

A photo fits on its own from half way between the bands (the boundary of two classes with equal spread), or
from three spreads below what fits where that is nearer to it. A query that no photo fits so well has found
nothing. If one does, all photos are relevant that score better than the best for something that is nowhere:
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
_FEWEST = 20
# The calibrated score at: the query's mean, the best for what is nowhere, fits, fits as usual, fits best.
_MARKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_ROWS_A_BATCH = 4096

# What photos show, in the words people search with: things and creatures, places and occasions.
EVERYDAY_TEXTS = (
    "a person", "a man", "a woman", "a child", "a baby", "a family", "friends", "a group of people",
    "a portrait", "a dog", "a cat", "a bird", "a horse", "a cow", "a sheep", "a fish", "an insect", "a car",
    "a bicycle", "a motorcycle", "a bus", "a train", "a boat", "an airplane", "a truck", "a house",
    "a building", "a tower", "a bridge", "a statue", "a tree", "a flower", "a chair", "a table", "a sofa",
    "a bed", "a lamp", "a book", "a phone", "a computer", "a camera", "a television", "a document", "a sign",
    "a bottle", "a cup", "a plate", "food", "a cake", "fruit", "vegetables", "bread", "a pizza", "a drink",
    "a ball", "a balloon", "a kite", "an umbrella", "a bag", "a suitcase", "a guitar", "a piano", "a clock",
    "a mirror", "a window", "a door", "shoes", "a hat", "a dress", "a toy", "a tent", "a fire",
    "a beach", "the sea", "a lake", "a river", "a waterfall", "a forest", "mountains", "a desert", "a field",
    "a meadow", "a garden", "a park", "a street", "a city", "a village", "a harbour", "a market", "a shop",
    "a restaurant", "a kitchen", "a bedroom", "a living room", "an office", "a school", "a church",
    "a museum", "a stadium", "an airport", "a railway station", "snow", "an island", "a farm", "the sky",
    "clouds", "a sunset", "night", "stars", "rain", "fog", "a party", "a wedding", "a concert", "a parade",
    "a playground", "sports", "a Christmas tree",
)  # fmt: skip

# What no album shows: things out of reach, wrong colours, things where they cannot be. Made of everyday words
# where possible, because a query whose half is there is harder to tell than one of which nothing is.
ABSENT_TEXTS = (
    "a mammoth", "a unicorn", "a dragon", "a dinosaur", "a mermaid", "a spaceship", "a pirate ship",
    "a knight in armour", "a nuclear explosion", "a sea monster", "an atom", "a galaxy", "a submarine",
    "a space station", "a flying saucer", "an ancient pharaoh", "a werewolf", "an erupting volcano",
    "an oil rig", "a gladiator", "a black hole", "a tank", "a polar bear", "a surgical operation",
    "an x-ray of a chest", "a circuit board", "a fighter jet", "an astronaut",
    "a purple dog", "a green cat", "a blue horse", "a pink elephant", "a violet cow", "a red tree",
    "an orange sea", "a purple banana", "a blue lion", "a green dog", "a pink cat", "a turquoise sheep",
    "a yellow pig", "a striped dog", "a blue strawberry", "a golden car", "a red swan", "a green snowman",
    "a purple cat", "a blue dog", "a red cat", "a green face", "a pink lawn", "a black moon",
    "a boat in the desert", "a ship in a forest", "a yacht in the mountains", "a sailing boat in the street",
    "a boat in the living room", "a car at a birthday party", "a tent at a party", "a car in the kitchen",
    "a bicycle on the sea", "an elephant in the kitchen", "a penguin in the desert", "a camel in the snow",
    "a lion in the street", "a polar bear on the beach", "a horse in the bedroom", "a cow in the library",
    "a shark in the forest", "a tiger at a wedding", "a monkey on a motorbike", "a giraffe in the bathroom",
    "a piano on the beach", "a sofa in the sea", "a bed in the street", "a fridge in a meadow",
    "a bathtub in the forest", "a grandfather clock in the snow", "a telephone box on a mountain",
    "a traffic light in the desert", "a train in the living room", "a helicopter in a church",
    "a tractor in a swimming pool", "a rocket on a farm", "a submarine in a lake", "an aeroplane in a garden",
    "a pyramid in the snow", "a castle on the moon", "a palm tree in the snow", "a snowman on the beach",
    "an igloo in the desert", "a cactus in the snow", "a whale in the harbour", "a dolphin in the street",
    "a crocodile in the kitchen", "a kangaroo in an office", "a kite in the bedroom",
    "a surfer in the desert", "a skier on the beach", "a swimmer in the street", "a diver in the forest",
    "an astronaut on a horse", "a king on a bicycle", "a clown in the snow", "a purple dog with an umbrella",
    "a green cat in a boat", "a bear with a balloon", "an elephant with a red umbrella",
    "a horse with a birthday cake", "a lion on a bicycle", "two elephants in the snow at night",
    "a purple dog in the jungle at night", "a ship in the city at night", "a green boat in the snow",
)  # fmt: skip


@dataclass(frozen=True)
class CalibratedScores:
    """What the scores of a query's hits mean.

    Parameters
    ----------
    calibrated : (n,) float64
        0 to 1, for any query of any collection the same: 0 is what the query scores on average over all
        photos, 0.25 what the best photo scores for something that is nowhere, 0.5 where a photo fits on its
        own, 0.75 as well as photos usually fit, 1 as well as hardly any does; straight lines between. It
        never falls where the raw score rises: the order of the hits stays.
    relevant
        So many hits, those that score best, are relevant; 0 says that nothing fits.
    fits, kept
        The raw scores of calibrated 0.5, which the best hit must reach, and of 0.25, which relevant ones do.
    """

    calibrated: np.ndarray
    relevant_count: int
    fit_threshold: float
    relevance_threshold: float


@dataclass(frozen=True)
class ScoreBands:
    """What is kept of a collection; measured by `measure`.

    Parameters
    ----------
    centre : (d,) float32
        Mean of the photos' vectors: its product with a query is the query's mean score over all photos.
    slope
        How far a text's mean score moves its bands; 0 where the bands are the same for all texts.
    nowhere
        Median of the best scores of texts of what is nowhere, less what their means account for.
    usual, spread
        Median and robust standard deviation of how well photos fit, less what the texts' means account for.
    """

    centre: np.ndarray
    slope: float
    nowhere: float
    usual: float
    spread: float

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {**self.__dict__, "centre": [round(float(value), 7) for value in self.centre]}

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> ScoreBands:
        """Undo `to_dict`."""
        return cls(**{**kept, "centre": np.asarray(kept["centre"], np.float32)})

    def calibrate(
        self, scores: Sequence[float] | np.ndarray, query: np.ndarray, sample: np.ndarray | None = None
    ) -> CalibratedScores:
        """Tell which of a query's hits are relevant.

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
            Vectors of the collection, wanted where the hits passed a filter: if one of them fits on its own,
            what is looked for is there, and a photo that passed the filter need not fit on its own as well.
        """
        scores, marks = np.asarray(scores, np.float64), self._locate_marks(query)
        best = scores.max(initial=-np.inf)
        if sample is not None and len(sample):
            best = max(best, float((sample @ query).max()))
        relevant = 0
        if best >= marks[2] - _SAME_SCORE:
            relevant = int(np.count_nonzero(scores >= marks[1] - _SAME_SCORE))
        # np.interp wants them to rise; by more than what rounding alone tells apart
        rising = marks + _SAME_SCORE * np.arange(len(marks))
        calibrated = np.interp(scores, rising, _MARKS)
        return CalibratedScores(
            calibrated, relevant, fit_threshold=float(marks[2]), relevance_threshold=float(marks[1])
        )

    def _locate_marks(self, query: np.ndarray) -> np.ndarray:
        """Return the raw scores at which a query's calibrated scores are `_MARKS`."""
        mean = float(self.centre @ query)
        nowhere, usual = (self.slope * mean + level for level in (self.nowhere, self.usual))
        reach = _REACH * self.spread
        fits = max(usual - reach, (nowhere + usual) / 2)
        return np.maximum.accumulate([mean, nowhere, fits, usual, usual + reach])


def measure_bands(photos: np.ndarray, everyday: np.ndarray, nowhere: np.ndarray) -> ScoreBands:
    """Measure the bands of a collection.

    Parameters
    ----------
    photos : (n, d) float32
        All vectors of the collection; none or one will do, though not well.
    everyday, nowhere : (m, d), (k, d) float32
        Vectors of `EVERYDAY` and `NOWHERE` by the same model, and with the same words around them as
        queries have.
    """
    if not len(photos):
        return ScoreBands(np.zeros(everyday.shape[1], np.float32), 0.0, 0.0, 0.0, 0.0)
    centre = photos.mean(axis=0, dtype=np.float64)
    batches = [photos[i : i + _ROWS_A_BATCH] for i in range(0, len(photos), _ROWS_A_BATCH)]
    tops = np.max([(batch @ nowhere.T).max(axis=0) for batch in batches], axis=0)
    means = nowhere @ centre
    enough = len(photos) >= _FEWEST
    slope = _fit_slope(means, tops) if enough else 0.0
    expected = slope * (everyday @ centre)
    best = np.concatenate([(batch @ everyday.T - expected).max(axis=1) for batch in batches])
    low, usual, high = np.quantile(best, (0.25, 0.5, 0.75))
    absent = float(np.median(tops - slope * means))
    # half of normal scores lie within 0.674 standard deviations of their middle
    spread = (high - low) / 1.349 if enough else abs(usual - absent)
    return ScoreBands(centre.astype(np.float32), slope, absent, float(usual), float(spread))


def _fit_slope(means: np.ndarray, tops: np.ndarray) -> float:
    """Return how far the best score moves with the mean (least squares); between not at all and equally."""
    spread = float(np.var(means))
    if spread < 1e-12:
        return 0.0
    return float(np.clip(np.mean((means - means.mean()) * (tops - tops.mean())) / spread, 0.0, 1.0))
