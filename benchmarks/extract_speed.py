"""Speed of feature extraction, compared with the maximum that decoding and the model allow.

    python benchmarks/extract_speed.py --models FOLDER [--photos 192]

FOLDER contains the full-size models of full_size_models.py. The photos are generated 12-megapixel JPEGs. On n
cores, the maximum is n / (CPU seconds of decoding + CPU seconds of the model) photos per second. The ratio is
the share of it that a run of step 01 reaches.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from imagesearch.config import load_config
from imagesearch.features import ClipEncoder, extract_features
from imagesearch.photos import decode_photo
from imagesearch.pipeline import Dataset


def make_photos(folder: Path, count: int) -> list[Path]:
    """Save 4000 x 3000 JPEGs of smooth noise, which have about as much detail as photos."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    small = rng.integers(0, 255, (8, 300, 400, 3), dtype=np.uint8)
    pictures = [Image.fromarray(pixels).resize((4000, 3000), Image.Resampling.BICUBIC) for pixels in small]
    files = [folder / f"{i:04d}.jpg" for i in range(count)]
    for i, file in enumerate(files):
        if i < 8:
            pictures[i].save(file, quality=88)
        else:
            file.write_bytes(files[i % 8].read_bytes())
    return files


def measure_cpu_seconds(function) -> float:
    """Return the CPU time of all threads of this process while a function runs."""
    start = time.process_time()
    function()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=192)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = make_photos(folder / "photos", args.photos)
        (folder / "config.yaml").write_text("dataset: {images: photos, processed: processed}\n")
        config = load_config(folder / "config.yaml", [f"models.clip={args.models.absolute() / 'clip'}"])
        encoder = ClipEncoder(config.models.clip)
        inputs = [encoder.preprocess(decode_photo(file, encoder.input_side).image) for file in files[:32]]
        encoder.encode_images(inputs)  # warm-up
        decoding = measure_cpu_seconds(
            lambda: [encoder.preprocess(decode_photo(f, encoder.input_side).image) for f in files[:32]]
        )
        model = measure_cpu_seconds(lambda: encoder.encode_images(inputs))
        per_photo = {"decode_cpu_ms": 1000 * decoding / 32, "model_cpu_ms": 1000 * model / 32}
        ceiling = 1000 * (os.cpu_count() or 1) / sum(per_photo.values())
        summary = extract_features(config, Dataset(config), only=["clip"])
        rate = summary.new / summary.seconds
        result = {name: round(value, 1) for name, value in per_photo.items()}
        result |= {"ceiling_per_s": round(ceiling, 1), "photos_per_s": round(rate, 1)}
        print(json.dumps(result | {"ratio": round(rate / ceiling, 2), "runs_as": encoder.runtime.precision}))


if __name__ == "__main__":
    main()
