"""The API for Rescue Box on a large album: median times of its searches over HTTP, by flask-ml's client.

    python benchmarks/api_speed.py [--folder /tmp/web_album] [--photos 50000] [--clip /tmp/full/clip]

The album is that of `web_album.py`, made on the first run. Script 10 runs in its own process on the same
machine. Each request is followed by the same search without HTTP, in the process of this program, so that
other work affects both.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from flask_ml.flask_ml_client import MLClient
from web_album import make_large_album
from web_speed import SENTENCES, WARM_UP, Server, read_megabytes, report

from imagesearch import PhotoLibrary, open_library
from imagesearch_demo.album import read_truth
from imagesearch_demo.scoring import make_questions

CLIENTS = 32
COUNTS = (5, 50)
PHOTOS = 20  # to search with


def measure(
    name: str, request: Callable[[Any], dict], search: Callable[[Any], Any], inputs: Sequence
) -> None:
    """Print the time of each request, and that of the same search without HTTP."""
    over_http, alone = [], []
    for number, one in enumerate([*inputs[:WARM_UP], *inputs]):
        start = time.perf_counter()
        response = request(one)
        middle = time.perf_counter()
        answer = search(one)
        if number >= WARM_UP:
            over_http.append(1000 * (middle - start))
            alone.append(1000 * (time.perf_counter() - middle))
        found = [file["path"] for file in response["files"]]
        if found != [str(result.file) for result in answer.results]:
            raise SystemExit(f"{one}: another answer than without HTTP")
    report(name, over_http)
    report("- the same search without HTTP", alone)
    print(f"{'- ratio':<58}{statistics.median(over_http) / statistics.median(alone):8.2f}", flush=True)


def measure_all(address: str, library: PhotoLibrary, sentences: Sequence[str]) -> None:
    """Print the times of all searches."""
    name = library.config.dataset.name

    def request(job: str, inputs: dict, count: int) -> dict:
        return MLClient(f"{address}/{job}").request(inputs, {"dataset": name, "count": count})

    photos = [photo.file for photo in library.dataset.photos[:: len(library.dataset.photos) // PHOTOS]]
    for count in COUNTS:
        measure(
            f"by text, {count} results (aim: 180)",
            lambda text, count=count: request("search_by_text", {"query": {"text": text}}, count),
            lambda text, count=count: library.search(text, top_k=count),
            sentences,
        )
        measure(
            f"by image, {count} results",
            lambda file, count=count: request("search_by_image", {"photo": {"path": str(file)}}, count),
            lambda file, count=count: library.search(image=file, top_k=count),
            photos,
        )
    measure_clients(lambda text: request("search_by_text", {"query": {"text": text}}, COUNTS[0]), sentences)


def measure_clients(search: Callable[[str], dict], sentences: Sequence[str]) -> None:
    """Print how many searches of many clients at the same time are answered in a second."""
    start = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(search, [*sentences, *sentences]))
    seconds = time.perf_counter() - start
    lost = sum("files" not in answer for answer in answers)
    print(
        f"{f'{CLIENTS} clients: searches a second':<58}{len(answers) / seconds:8.1f}  ({lost} lost)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("/tmp/web_album"))
    parser.add_argument("--photos", type=int, default=50_000)
    parser.add_argument("--clip", type=Path, help="folder of a CLIP model; default: the demo's")
    args = parser.parse_args()
    config = make_large_album(args.folder, args.photos, args.clip)
    truth = read_truth(args.folder / "album")
    sentences = list(dict.fromkeys(question.text for question in make_questions(truth, 200)))
    sentences = sentences[:: max(1, len(sentences) // SENTENCES)]
    server = Server(args.folder / "config.yaml", "10_serve_api.py", ())
    with closing(server), open_library(config) as library:
        measure_all(server.address, library, sentences)
        print(f"{'memory of the server':<58}{read_megabytes(server.process.pid):8.0f} MB")


if __name__ == "__main__":
    main()
