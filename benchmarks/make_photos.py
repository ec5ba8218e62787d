"""Make 12-megapixel photos for benchmarks from smaller ones: enlarged, with grain, as JPEG and HEIC.

    python benchmarks/make_photos.py FOLDER [--photos DIR] [--jpegs 24] [--heics 4]

The sources are the photos in DIR, or those of a drawn album. FOLDER gets these folders:

- ``jpeg``: 4032 x 3024, quality 92;
- ``heic``: the first of the same pictures as HEIC, with a thumbnail of 320 pixels;
- ``heic_full``: the same with a thumbnail of 160 pixels, which is too small for the models;
- ``vga`` and ``tiny``: 640 x 480 and 160 x 120, JPEG, quality 92.

Encoding a HEIC takes 6 s or more, so there are few of them.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from imagesearch.photos import decode_photo, find_photos

FULL_SIZE = (4032, 3024)
SMALL_SIZES = {"vga": (640, 480), "tiny": (160, 120)}
_GRAIN = 12.0  # standard deviation; an enlarged photo without grain would be decoded faster than a real one
_QUALITY = 92
_HEIC_QUALITY = 50


def list_sources(folder: Path | None, count: int) -> list[Image.Image]:
    """Return photos of a folder in the shape 4:3, or of a drawn album if there is no folder."""
    with tempfile.TemporaryDirectory() as drawn:
        if folder is None:
            from imagesearch_demo.album import make_album

            folder = Path(drawn) / "album"
            make_album(folder, count, workers=0)
        files = [photo.file for photo in find_photos([folder])]
        chosen = [files[i] for i in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)]
        return [ImageOps.fit(decode_photo(file).image, (1600, 1200)) for file in chosen]


def add_grain(image: Image.Image, seed: int) -> Image.Image:
    """Add grain like that of a camera: normal noise, equal in all channels."""
    noise = np.random.default_rng(seed).standard_normal(image.size[::-1], np.float32)[..., None] * _GRAIN
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def make_photos(folder: Path, source: Path | None, jpegs: int = 24, heics: int = 4) -> Path:
    """Make all photos; return the folder, whose subfolders are described above."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    for name in ("jpeg", "heic", "heic_full", *SMALL_SIZES):
        (folder / name).mkdir(parents=True)
    sources = list_sources(source, jpegs)

    def make_photo(i: int) -> None:
        picture = sources[i % len(sources)]
        full = add_grain(picture.resize(FULL_SIZE, Image.Resampling.BICUBIC), i)
        full.save(folder / "jpeg" / f"{i:04d}.jpg", quality=_QUALITY)
        for name, size in SMALL_SIZES.items():
            add_grain(picture.resize(size), i).save(folder / name / f"{i:04d}.jpg", quality=_QUALITY)
        for name, thumbnail in (("heic", 320), ("heic_full", 160)) if i < heics else ():
            full.save(
                folder / name / f"{i:04d}.heic",
                quality=_HEIC_QUALITY,
                thumbnails=[thumbnail],
                enc_params={"preset": "ultrafast"},
            )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(make_photo, range(jpegs)))
    return folder


def link_photos(originals: Sequence[Path], folder: Path, count: int) -> Path:
    """Fill a folder with ``count`` hard links to some photos, which need no space; return the folder."""
    for i in range(count):
        original = originals[i % len(originals)]
        link = folder / f"{i // 500:04d}" / f"{i:06d}{original.suffix}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.hardlink_to(original)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=Path, metavar="DIR", help="folder of photos; default: a drawn album")
    parser.add_argument("--jpegs", type=int, default=24)
    parser.add_argument("--heics", type=int, default=4)
    args = parser.parse_args()
    make_photos(args.folder, args.photos, args.jpegs, args.heics)
    print(json.dumps({folder.name: len(list(folder.iterdir())) for folder in sorted(args.folder.iterdir())}))


if __name__ == "__main__":
    main()
