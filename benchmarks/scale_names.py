"""The names of millions of photos: the vocabulary, sentences, BM25 and the log of people.

    python benchmarks/scale_names.py [PART ...]        # count, file, sentences, words, people
    python benchmarks/scale_names.py count --rows 1000000

Each part runs in a process of its own, with a folder that is deleted afterwards. The CPU seconds and the
memory are printed, one JSON object a line, and appended to ``outputs/scale.jsonl``. Requires Linux.
"""

from __future__ import annotations

import itertools
import statistics
import time
from datetime import date
from pathlib import Path

import numpy as np
from scale_parts import measure, report, run_parts
from sentence_search import make_sentences

from imagesearch.faces.constraints import replay_edits
from imagesearch.faces.edit_log import Edit, EditLog
from imagesearch.faces.extract import FaceTable
from imagesearch.faces.references import ReferenceResolver
from imagesearch.geo import PhotoLocation
from imagesearch.geo.address import Address
from imagesearch.photos import PhotoMetadata, compute_photo_id
from imagesearch.pipeline import ProcessedPhoto
from imagesearch.query import SentenceParser
from imagesearch.store import Vocabulary, VocabularyEntry
from imagesearch.store.hybrid_search import _WORD, make_text_ranking
from imagesearch.store.vocabulary import count_names, count_vocabulary, split_periods

PLACES, PEOPLE, CAMERAS = 100_000, 10_000, 1_000
PHOTOS_PER_PERSON = 20
TODAY = date(2024, 6, 15)


def make_words(count: int, last: str) -> list[str]:
    """Make different invented words that end with some letters."""
    syllables = (
        "gra",
        "ko",
        "mi",
        "no",
        "ve",
        "ba",
        "ru",
        "li",
        "te",
        "sha",
        "do",
        "pe",
        "zu",
        "fi",
        "wo",
        "ha",
        "je",
        "ly",
    )
    combined = itertools.chain.from_iterable(itertools.product(syllables, repeat=n) for n in (2, 3, 4))
    return ["".join(parts) + last for parts in itertools.islice(combined, count)]


def make_locations() -> list[PhotoLocation]:
    """Make a photo in each of the places, with one of the cameras."""
    cities = [word.title() for word in make_words(PLACES * 96 // 100, "ton")]
    locations = []
    for number, city in enumerate(cities):
        state, country = f"State {number % 3_800}", f"Country {number % 200}"
        places = ((city, "city"), (state, "state"), (country, "country"))
        address = Address(city=city, state=state, country=country, address=city, places=places)
        metadata = PhotoMetadata(
            latitude=number % 17_000 / 100 - 85,
            longitude=number % 35_900 / 100 - 179,
            camera=f"Camera {number % CAMERAS}",
            keywords=(f"keyword {number % 5_000}",),
        )
        locations.append(PhotoLocation(metadata, address))
    return locations


def make_people() -> list[str]:
    """Make names of two words."""
    first, last = make_words(200, "a"), make_words(PEOPLE, "son")
    return [f"{first[number % 200]} {name}".title() for number, name in enumerate(last)]


# --- parts -------------------------------------------------------------------------------------------------


def measure_count(rows: int, folder: Path) -> None:
    """Count the names of photos as step 05 does; the photos share their objects, which are not measured."""
    distinct = make_locations()
    locations = [distinct[number % len(distinct)] for number in range(rows)]
    with measure("count_vocabulary", rows) as values:
        vocabulary = count_vocabulary(locations)
        values |= {"places": len(vocabulary.places), "cameras": len(vocabulary.cameras)}
    names = make_people()
    with measure("count_names of people, one on each photo", rows):
        count_names((names[number % PEOPLE], "") for number in range(rows))
    times = np.random.default_rng(0).integers(0, 2**31, rows).tolist()
    with measure("split_periods", rows):
        split_periods(times)


def make_vocabulary(places: int, people: int) -> Vocabulary:
    """Make a vocabulary with a number of places and people."""
    counted = count_vocabulary(make_locations()[:places])
    entries = {name.lower(): VocabularyEntry(name, 100) for name in make_people()[:people]}
    known = {"goa": VocabularyEntry("Goa", 100, "state"), "rome": VocabularyEntry("Rome", 100, "city")}
    return Vocabulary(
        people=entries | {name.lower(): VocabularyEntry(name, 100) for name in ("Ana", "Bo", "Cy")},
        places=dict(counted.places) | known,
        cameras=counted.cameras,
        keywords=counted.keywords,
        within=counted.within,
        periods=tuple(range(20_000)),  # one for each 500 of 10 million photos
        cast=tuple(entries),
        portraits={name: (2**61 + number, 0) for number, name in enumerate(entries)},
    )


def measure_file(places: int, folder: Path) -> None:
    """Write and read a vocabulary with a number of places, and a tenth as many people."""
    vocabulary = make_vocabulary(places, places // 10)
    with measure("Vocabulary.write", places) as values:
        vocabulary.write(folder)
        values["disk MB"] = round((folder / "vocabulary.json").stat().st_size / 2**20, 1)
    del vocabulary
    with measure("Vocabulary.read", places):
        Vocabulary.read(folder)


def measure_sentences(places: int, folder: Path) -> None:
    """Parse sentences with a vocabulary, also those with mistyped and partial names."""
    vocabulary = make_vocabulary(places, places // 10)
    with measure("SentenceParser", places):
        parser = SentenceParser(vocabulary)
    names = [entry.name for entry in vocabulary.people.values()]
    cities = [entry.name for entry in vocabulary.places.values() if entry.kind == "city"]
    kinds = {
        "known names": make_sentences(50),
        "names of the vocabulary": [f"{names[n]} in {cities[7 * n]} last summer" for n in range(50)],
        "mistyped names": [f"{names[n][:-1]} in {cities[7 * n][:-2]}n last summer" for n in range(50)],
        "partial names": [f"{names[n].split()[0]} on the beach" for n in range(50)],
        "no names": [f"{n} dogs playing in the snow at night" for n in range(50)],
    }
    for kind, sentences in kinds.items():
        with measure(f"first sentence: {kind}", places):
            parser.parse(sentences[0], TODAY)
        times = []
        for sentence in sentences[1:] * 3:
            start = time.process_time()
            parser.parse(sentence, TODAY)
            times.append(1000 * (time.process_time() - start))
        median, most = round(statistics.median(times), 2), round(max(times), 2)
        report(f"a sentence: {kind}", places, **{"CPU ms, median": median, "CPU ms, maximum": most})


def measure_words(rows: int, folder: Path) -> None:
    """Make and use a BM25 ranking of the words of photos, as for servers without BM25."""
    cities, names = make_words(PLACES, "ton"), make_people()
    texts = [
        f"{names[n % PEOPLE].lower()} {cities[n % len(cities)]} state {n % 3_800} camera {n % 50}"
        for n in range(rows)
    ]
    with measure("WordRanking, without reading the rows", rows):
        ranking = make_text_ranking([_WORD.findall(text) for text in texts])
    with measure("one BM25 query of three words", rows):
        ranking.get_scores(["grakomi", "state", "7"])


def make_faces(photos: int, people: int) -> FaceTable:
    """Make a table of faces, one on each photo."""
    rng = np.random.default_rng(0)
    processed = {}
    for number in range(photos):
        path = f"2020/album/IMG_{number:08d}.jpg"
        photo_id = compute_photo_id(path)
        content = number.to_bytes(16, "big")[::-1]
        processed[photo_id] = ProcessedPhoto(photo_id, path, 1, 1, content, 4032, 3024, None, 1, "")
    ids = np.array(sorted(processed), np.int64)
    boxes = np.tile(np.array([[1000.0, 1000.0, 1400.0, 1500.0]], np.float32), (photos, 1))
    centres = rng.standard_normal((people, 64), dtype=np.float32)
    vectors = centres[np.arange(photos) % people] + 0.3 * rng.standard_normal((photos, 64), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return FaceTable(
        ids=np.arange(photos),
        photo_ids=ids,
        positions=np.zeros(photos, np.int64),
        boxes=boxes,
        scores=np.ones(photos, np.float32),
        vectors=vectors,
        processed=processed,
    )


def measure_people(people: int, folder: Path) -> None:
    """Read and replay a log that names a number of people, each by `PHOTOS_PER_PERSON` faces."""
    faces = make_faces(people * PHOTOS_PER_PERSON, people)
    with measure("ReferenceResolver", people):
        resolver = ReferenceResolver(faces)
    log = EditLog(folder / "people.jsonl")
    edits = []
    for number, name in enumerate(make_people()[:people]):
        references = resolver.make_references(range(number, len(faces), people))
        edits.append(Edit("name", (references,), name, at="2024-01-01T00:00:00"))
    log.append(*edits)
    del edits
    with measure("EditLog.read", people) as values:
        read = log.read()
        values["disk MB"] = round(log.file.stat().st_size / 2**20, 1)
    with measure("replay_edits", people) as values:
        values["pairs"] = len(replay_edits(read, resolver).cannot_link)


PARTS = {
    "count": measure_count,
    "file": measure_file,
    "sentences": measure_sentences,
    "words": measure_words,
    "people": measure_people,
}
ROWS = {
    "count": [1_000_000, 10_000_000],
    "file": [10_000, 100_000],
    "sentences": [1_000, 10_000, 100_000],
    "words": [100_000, 300_000],
    "people": [1_000, 3_000],
}

if __name__ == "__main__":
    run_parts(__doc__.splitlines()[0], PARTS, ROWS)
