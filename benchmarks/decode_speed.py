"""CPU time of decoding a photo for a model with an input of 224 pixels.

    python benchmarks/decode_speed.py [--photos FOLDER] [--models FOLDER ...] [--json]

The folder of --photos contains JPEGs and HEICs of a phone; without it, JPEGs are generated. They are also
saved as progressive JPEGs, as HEICs with a thumbnail of 320 pixels, and as JPEGs of 640 x 480. Each photo is
decoded in two ways, in turns: in full ("before") and scaled ("after"). For progressive JPEGs, "before" is
scaled by Pillow. With --models, folders of CLIP models, the vectors of both ways are compared.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from make_photos import make_photos
from PIL import Image

from imagesearch.features import ClipEncoder
from imagesearch.features.image_preparation import ImagePreparation
from imagesearch.photos import decode_photo, share_cores

SIDE = 224
CLIP_INPUT = ImagePreparation(
    (SIDE,), (SIDE, SIDE), Image.Resampling.BICUBIC, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
)


def decode_whole(file: Path) -> Image.Image:
    return decode_photo(file).image


def decode_scaled(file: Path) -> Image.Image:
    return decode_photo(file, SIDE).image


def decode_by_draft(file: Path) -> Image.Image:
    """Decode a JPEG with all of its scans, scaled by Pillow."""
    with Image.open(file) as image:
        image.draft(None, (SIDE, SIDE))
        return image.convert("RGB")


def save_copies(files: Sequence[Path], folder: Path) -> dict[str, list[Path]]:
    """Save JPEGs as progressive JPEGs, as HEICs with a thumbnail, and at 640 x 480."""
    decode_photo(files[0])  # registers HEIC with Pillow
    copies: dict[str, list[Path]] = {"progressive JPEG": [], "HEIC, made": [], "JPEG of 640 x 480": []}
    for file in files:
        names = [folder / f"{file.stem}{end}" for end in ("_p.jpg", ".heic", "_s.jpg")]
        with Image.open(file) as image:
            image.save(names[0], quality=92, progressive=True)
            image.save(names[1], quality=60, thumbnails=[320])
            image.resize((640, 480), Image.Resampling.LANCZOS).save(names[2], quality=88)
        for paths, name in zip(copies.values(), names, strict=True):
            paths.append(name)
    return copies


def compare_cpu_time(
    files: Sequence[Path], before: Callable, after: Callable, rounds: int
) -> dict[str, float]:
    """Return the medians of both ways in milliseconds and of their ratio, over all photos and rounds."""

    def prepare(decode: Callable, file: Path) -> None:
        CLIP_INPUT.prepare(decode(file))

    ways = {"before_cpu_ms": partial(prepare, before), "after_cpu_ms": partial(prepare, after)}
    return compare_times(files, ways, rounds, time.process_time)


def compare_threads(files: Sequence[Path], rounds: int) -> dict[str, float]:
    """Return the median time of a HEIC that is decoded alone, in one thread and in one for each core."""

    def decode(photos: int, file: Path) -> None:
        with share_cores(photos):
            decode_whole(file)

    ways = {"one_thread_ms": partial(decode, 1000), "all_cores_ms": partial(decode, 1)}
    return compare_times(files, ways, rounds, time.perf_counter)


def compare_times(
    files: Sequence[Path], ways: dict[str, Callable], rounds: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Return the medians of two ways in milliseconds, by name, and of the second divided by the first."""
    times: list[list[float]] = []
    for _ in range(rounds):
        for file in files:
            times.append([])
            for way in ways.values():
                start = clock()
                way(file)
                times[-1].append(1000 * (clock() - start))
    medians = {name: round(statistics.median(row[i] for row in times), 1) for i, name in enumerate(ways)}
    return medians | {"ratio": round(statistics.median(second / first for first, second in times), 3)}


def compare_vectors(
    files: Sequence[Path], before: Callable, after: Callable, models: Sequence[Path]
) -> dict[str, float]:
    """Return the mean difference of the pixels of the inputs, and the cosines of the vectors by model."""
    pairs = [[CLIP_INPUT.prepare(decode(file)).astype(int) for decode in (before, after)] for file in files]
    result = {"pixel_difference": round(statistics.median(float(abs(b - a).mean()) for b, a in pairs), 2)}
    for model in models:
        encoder = ClipEncoder(str(model), precision="float32")
        vectors = [
            encoder.encode_images([encoder.preprocess(decode(file)) for file in files])
            for decode in (before, after)
        ]
        cosines = (vectors[0] * vectors[1]).sum(axis=1)
        result[f"{model.parent.name}_median_cosine"] = round(float(np.median(cosines)), 5)
        result[f"{model.parent.name}_lowest_cosine"] = round(float(cosines.min()), 5)
    return result


def print_result(result: dict[str, dict[str, float]]) -> None:
    for name, values in result.items():
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in values.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--models", type=Path, nargs="*", default=[])
    parser.add_argument("--count", type=int, default=8, help="number of JPEGs that are used")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if args.photos:
            found = sorted(args.photos.rglob("*"))
            jpegs = [file for file in found if file.suffix.lower() in (".jpg", ".jpeg")][: args.count]
            heics = [file for file in found if file.suffix.lower() == ".heic"]
        else:
            photos = make_photos(Path(name) / "photos", None, args.count, 0)
            jpegs, heics = sorted((photos / "jpeg").iterdir()), []
        copies = save_copies(jpegs, Path(name))
        cases = [("JPEG of 12 megapixels", jpegs, decode_whole, decode_scaled)]
        cases += [("progressive JPEG", copies["progressive JPEG"], decode_by_draft, decode_scaled)]
        cases += [("HEIC", heics, decode_whole, decode_scaled)] if heics else []
        cases += [
            (key, copies[key], decode_whole, decode_scaled) for key in ("HEIC, made", "JPEG of 640 x 480")
        ]
        result = {
            case: compare_cpu_time(files, before, after, args.rounds)
            | compare_vectors(files, before, after, args.models)
            for case, files, before, after in cases
        }
        result["HEIC alone"] = compare_threads(heics or copies["HEIC, made"], args.rounds)
    if args.json:
        print(json.dumps(result))
    else:
        print_result(result)


if __name__ == "__main__":
    main()
