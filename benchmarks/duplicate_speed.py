"""Time and memory of finding duplicates, and its quality on copies of the photos of a folder.

    python benchmarks/duplicate_speed.py [--vectors 10000 50000] [--photos DIR]

For each number of vectors, the pairs of similar vectors are searched; a tenth of the vectors are copies of
others with a little noise. The line has the ratio to the bare matrix product of all pairs, estimated from a
sample. With ``--photos``, the photos below the folder are hashed and compared with copies of themselves
(re-encoded, resized, cropped) and with each other; this prints times, recall and false pairs.
"""

from __future__ import annotations

import argparse
import io
import itertools
import resource
import time
from pathlib import Path

import numpy as np
from PIL import Image

from imagesearch.duplicates.candidates import find_similar_vectors, measure_hash_distance
from imagesearch.duplicates.find import MAX_COPY_DISTANCE
from imagesearch.duplicates.hashes import compute_hash
from imagesearch.duplicates.same_shot import is_same_shot
from imagesearch.photos import PhotoError, decode_photo, find_photos

_MIN_COSINE = 0.9


def measure_pairs(count: int, dimension: int = 768) -> str:
    """Search the pairs of similar vectors among some that are grouped in scenes, as those of photos are."""
    rng = np.random.default_rng(1)
    scenes = rng.normal(size=(count // 20, dimension)).astype(np.float32)
    vectors = scenes[rng.integers(len(scenes), size=count)]
    vectors += 0.7 * rng.normal(size=vectors.shape).astype(np.float32)
    vectors[1::10] = vectors[0::10] + 0.1 * rng.normal(size=vectors[1::10].shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    start = time.perf_counter()
    for first in range(0, 1024, 128):
        vectors[first : first + 128] @ vectors.T
    bare = (time.perf_counter() - start) * count / 1024
    start = time.perf_counter()
    pairs = find_similar_vectors(vectors, _MIN_COSINE)
    seconds = time.perf_counter() - start
    found = sum((row, row + 1) in pairs for row in range(0, count - 1, 10)) / len(range(0, count - 1, 10))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    ratio = f"{seconds / bare:.2f} of the bare product"
    return f"{count} vectors: {seconds:.1f} s, {ratio}, recall {found:.4f}, peak {peak:.2f} GB"


def make_copies(image: Image.Image) -> dict[str, Image.Image]:
    """Return copies of an image as programs and messengers make them."""
    width, height = image.size

    def encode(copy: Image.Image, quality: int) -> Image.Image:
        stream = io.BytesIO()
        copy.save(stream, "JPEG", quality=quality)
        return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")

    def cut(share: float) -> Image.Image:
        box = (share * width, 0.5 * share * height, (1 - 0.7 * share) * width, (1 - share) * height)
        return image.crop(tuple(map(round, box)))

    return {
        "quality 90": encode(image, 90),
        "quality 50": encode(image, 50),
        "half": encode(image.resize((width // 2, height // 2), Image.Resampling.LANCZOS), 80),
        "a third": encode(image.resize((width // 3, height // 3), Image.Resampling.BICUBIC), 60),
        "cropped by 3 %": encode(cut(0.03), 85),
        "cropped by 10 %": encode(cut(0.1), 85),
    }


def measure_photos(folder: Path) -> None:
    """Compare the photos of a folder with copies of themselves and with each other."""
    images, seconds = [], 0.0
    for photo in find_photos([folder], []):
        start = time.perf_counter()
        try:
            compute_hash(decode_photo(photo.file, 0, 512).image)
            seconds += time.perf_counter() - start
            image = decode_photo(photo.file, 0, 1600).image
        except PhotoError:
            continue
        image.thumbnail((1600, 1600))
        if min(image.size) >= 200:
            images.append(image)
    print(f"{len(images)} photos: {seconds / max(1, len(images)):.3f} s to hash one")
    found: dict[str, list[bool]] = {}
    start = time.perf_counter()
    for image in images:
        for name, copy in make_copies(image).items():
            found.setdefault(name, []).append(is_same_shot(lambda _, pair=(image, copy): pair))
    count = sum(map(len, found.values()))
    print(f"{count} copies: {(time.perf_counter() - start) / count:.3f} s to compare one")
    for name, results in found.items():
        print(f"    {name}: {sum(results)} of {len(results)} found")
    print(f"    all: recall {sum(map(sum, found.values())) / count:.4f}")
    bits = [compute_hash(image).bits for image in images]
    near = [
        pair
        for pair in itertools.combinations(range(len(images)), 2)
        if measure_hash_distance(bits[pair[0]], bits[pair[1]]) <= MAX_COPY_DISTANCE
    ]
    start = time.perf_counter()
    false = [pair for pair in near if is_same_shot(lambda _, p=pair: (images[p[0]], images[p[1]]))]
    each = (time.perf_counter() - start) / max(1, len(near))
    print(
        f"{len(near)} pairs of photos with near hashes: {len(false)} same shot, {each:.3f} s to compare one"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vectors", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--photos", type=Path)
    args = parser.parse_args()
    for count in args.vectors:
        print(measure_pairs(count), flush=True)
    if args.photos:
        measure_photos(args.photos)


if __name__ == "__main__":
    main()
