"""All measurements of speed and memory in one table, each as a ratio to a baseline in the same run.

    python benchmarks/bench.py [--only NAME ...] [--quick] [--photos DIR] [--models DIR] [--work DIR]

The program and its baseline alternate, so that other work on the machine affects both. Values are medians of
three rounds, or of one if a run in it takes longer than 30 s. The table is printed, and saved as
``outputs/bench.json``; with ``--only``, the other rows of an earlier run are kept there.

The baselines are the functions ``run_...`` below. Each runs in a process of its own, start-up included.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench_inputs import (
    BENCH,
    SCRIPTS,
    Inputs,
    OtherWork,
    Run,
    get_demo_models,
    repeat_alternately,
    run_part,
    run_program,
)
from bench_table import Row, compare, compute_spread, print_head, print_row, save_result

CORES = os.cpu_count() or 1
IPHONE_DECODE_MS = 47  # CPU time to decode a JPEG of an iPhone, measured elsewhere on real photos


# --- baselines ---------------------------------------------------------------------------------------------


def load_torch_clip(folder: str) -> tuple[Callable, Callable]:
    """Return a CLIP model in float32 as two functions: file to pixels, decoded in full; pixels to vectors."""
    import pillow_heif
    import torch
    from PIL import Image
    from transformers import AutoImageProcessor, CLIPModel

    pillow_heif.register_heif_opener()
    model = CLIPModel.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")

    def read(file: Path):
        return processor(images=Image.open(file).convert("RGB"), return_tensors="pt")["pixel_values"]

    def encode(pixels):
        with torch.inference_mode():
            features = model.get_image_features(pixel_values=pixels).pooler_output
        return (features / features.norm(dim=-1, keepdim=True)).numpy()

    return read, encode


def run_one_at_a_time(photos: str, models: str) -> None:
    """Encode photos like earlier programs: one after the other, decoded in full, in float32 on torch."""
    read, encode = load_torch_clip(f"{models}/clip")
    for file in sorted(Path(photos).rglob("*.*")):
        encode(read(file))


def run_threads_and_batches(photos: str, models: str) -> None:
    """Encode photos like common tools: threads that decode in full, batches of 32 in float32 on torch."""
    from concurrent.futures import ThreadPoolExecutor

    import torch

    read, encode = load_torch_clip(f"{models}/clip")
    with ThreadPoolExecutor(CORES) as pool:
        batch = []
        for pixels in pool.map(read, sorted(Path(photos).rglob("*.*"))):
            batch.append(pixels)
            if len(batch) == 32:
                encode(torch.cat(batch))
                batch = []
        if batch:
            encode(torch.cat(batch))


def run_scandir(folder: str) -> None:
    """Walk a folder with os.scandir, with the status of each file; print the seconds."""
    start, folders, total = time.perf_counter(), [folder], 0
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    total += entry.stat().st_size
    print(json.dumps({"seconds": time.perf_counter() - start}))


BARE_OPENING = "import sys, pymilvus; pymilvus.MilvusClient(sys.argv[1])"


def run_bare_insert(config_file: str) -> None:
    """Insert the rows of step 05 with the bare Milvus client, in batches; print the seconds."""
    from imagesearch.config import load_config
    from imagesearch.pipeline import Dataset
    from imagesearch.store import Store
    from imagesearch.store.collection_updates import _BATCH_ROWS
    from imagesearch.store.records import collect_rows

    with tempfile.TemporaryDirectory() as folder:
        config = load_config(Path(config_file), [f"milvus.uri={folder}/milvus.db"])
        with Store(config.milvus) as store:
            ((spec, rows),) = collect_rows(config, Dataset(config), store, None)
            store.collections.create(spec, "bare__1")
            client, batches = store.collections.client, []
            client.upsert = lambda _, batch: batches.append(batch)  # the rows as the client receives them
            for batch in rows.iterate_batches(range(len(rows.vectors)), _BATCH_ROWS):
                store.collections.upsert("bare__1", spec, batch)
            start = time.perf_counter()
            for batch in batches:
                client.insert("bare__1", batch)
            client.flush("bare__1")
            print(json.dumps({"seconds": time.perf_counter() - start}))


def run_baseline(name: str, *arguments: str | Path) -> Run:
    """Run one of the functions above in a new process."""
    return run_program(BENCH, "--run", name, *arguments)


# --- rows --------------------------------------------------------------------------------------------------


def measure_help(inputs: Inputs) -> list[Row]:
    calls = {
        "ours": lambda: run_program(SCRIPTS / "06_search.py", "--help").seconds,
        "Python and argparse": lambda: run_program("-c", "import argparse").seconds,
    }
    return [compare("06 --help", repeat_alternately(calls, 5, warm_up=True), None, False)]


def compare_cold(config: Path, what: str, target: float) -> Row:
    """Measure a first search, from starting Python to the results, against opening the database."""
    query = ("maya on the beaches of goa", "--json", "--no-show")
    database = config.parent / "milvus.db"
    calls = {
        "ours": lambda: run_program(SCRIPTS / "06_search.py", "-c", config, *query).seconds,
        "import pymilvus, open": lambda: run_program("-c", BARE_OPENING, database).seconds,
    }
    return compare(what, repeat_alternately(calls, 5, warm_up=True), target, False)


def compare_with_ceiling(inputs: Inputs, kind: str, count: int, what: str) -> Row:
    """Compare the photos per second of step 01 with what the CPU time of decoding and CLIP allows."""
    photos, models, parts, runs, shares = inputs.link(kind, count), inputs.models, [], [], []

    def run_ours() -> float:
        other_work = OtherWork()
        runs.append(inputs.run_step_01(photos, models, "--only", "clip"))
        shares.append(other_work.measure_share())
        return runs[-1].seconds / count

    def measure_minimum() -> float:
        parts.append(run_part("ceiling", inputs.photos / kind, models))
        return (parts[-1]["decode"] + min(parts[-1]["openvino"], parts[-1]["torch"])) / CORES

    times = repeat_alternately({"ours": run_ours, "ceiling": measure_minimum})
    ours, minimum = (statistics.median(values) for values in times.values())
    milliseconds = {name: 1000 * statistics.median(part[name] for part in parts) for name in parts[0]}
    cpu = 1000 * statistics.median(run.cpu_seconds for run in runs) / count
    left = minimum / ours / (1 - statistics.median(shares))
    note = (
        f"{count} photos; CPU ms for a photo: decoding {milliseconds['decode']:.1f}, "
        f"OpenVINO {milliseconds['openvino']:.1f}, torch {milliseconds['torch']:.1f}; the run {cpu:.1f}; "
        f"ratio in the CPU time that other work left {left:.2f}"
    )
    spread = max(map(compute_spread, times.values()))
    cells = f"{1 / ours:.1f} photos/s", f"ceiling: {1 / minimum:.1f} photos/s"
    return Row(what, *cells, minimum / ours, 0.85, False, spread, note)


def measure_extraction(inputs: Inputs) -> list[Row]:
    count = 64 if inputs.quick else 500
    row = compare_with_ceiling(inputs, "jpeg", count, "01, CLIP, JPEG of 12 MP")
    row.note += f"; decoding a real JPEG of an iPhone {IPHONE_DECODE_MS}"
    return [row]


def measure_small_photos(inputs: Inputs) -> list[Row]:
    count = 100 if inputs.quick else 1_000
    return [compare_with_ceiling(inputs, "vga", count, "01, CLIP, JPEG of 640 x 480")]


def measure_few_photos(inputs: Inputs) -> list[Row]:
    """Compare step 01 on few photos with the two baselines."""
    count = 24 if inputs.quick else 86
    photos, models = inputs.link("jpeg", count), inputs.models
    calls = {
        "ours": lambda: inputs.run_step_01(photos, models, "--only", "clip").seconds,
        "one at a time": lambda: run_baseline("one_at_a_time", photos, models).seconds,
        "threads, batches": lambda: run_baseline("threads_and_batches", photos, models).seconds,
    }
    times = repeat_alternately(calls)
    return [
        compare(f"01, CLIP, {count} JPEGs", {"ours": times["ours"], label: times[label]}, target, True)
        for label, target in (("one at a time", 5.0), ("threads, batches", 3.2))
    ]


def measure_heic(inputs: Inputs) -> list[Row]:
    """Compare step 01 on HEIC with one at a time, with a thumbnail that is large enough and without."""
    return [compare_heic(inputs, "heic", "thumbnail of 320"), compare_heic(inputs, "heic_full", "in full")]


def compare_heic(inputs: Inputs, kind: str, what: str) -> Row:
    from imagesearch.photos import decode_photo

    photos, models = inputs.link(kind, 8 if inputs.quick else 24), inputs.models
    calls = {
        "ours": lambda: inputs.run_step_01(photos, models, "--only", "clip").seconds,
        "one at a time": lambda: run_baseline("one_at_a_time", photos, models).seconds,
    }
    is_scaled = max(decode_photo(inputs.list_originals(kind)[0], 224).image.size) < 1000
    target = 2.5 if is_scaled else 1.7
    return compare(f"01, CLIP, HEIC, {what}", repeat_alternately(calls), target, True)


def measure_one_pass(inputs: Inputs) -> list[Row]:
    """Compare CLIP and ViT in one pass with one after the other, each as a new dataset."""
    return [compare_one_pass(inputs, "jpeg", 96, 1.12), compare_one_pass(inputs, "heic_full", 32, 1.4)]


def compare_one_pass(inputs: Inputs, kind: str, count: int, target: float) -> Row:
    photos, models = inputs.link(kind, 8 if inputs.quick else count), inputs.models

    def run(*options: str) -> float:
        return inputs.run_step_01(photos, models, *options).seconds

    calls = {"ours": run, "one by one": lambda: run("--only", "clip") + run("--only", "vit")}
    return compare(f"01, CLIP and ViT, {kind}", repeat_alternately(calls), target, True)


def measure_unchanged(inputs: Inputs) -> list[Row]:
    """Compare step 01 on unchanged photos with 2 s and two walks of the folder."""
    count = 5_000 if inputs.quick else 100_000
    config = inputs.make_processed_dataset(get_demo_models(), count, 8, ("clip", "vit"))
    walks = []

    def measure_limit() -> float:
        walks.append(json.loads(run_baseline("scandir", config.parent / "photos").output)["seconds"])
        return 2 + 2 * walks[-1]

    calls = {
        "ours": lambda: run_program(SCRIPTS / "01_extract_features.py", "-c", config).seconds,
        "2 s + 2 walks": measure_limit,
    }
    row = compare(f"01, {count:,} unchanged photos", repeat_alternately(calls, warm_up=True), 1.0, False)
    parts = ", ".join(f"{name} {value:.2f} s" for name, value in run_part("unchanged_split", config).items())
    row.note += f"; a walk {statistics.median(walks):.2f} s; {parts}"
    return [row]


def measure_building(inputs: Inputs) -> list[Row]:
    count = 2_000 if inputs.quick else 50_000
    config = inputs.make_processed_dataset(inputs.models, count, 512, ("clip",))
    calls = {
        "ours": lambda: run_part("build", config)["seconds"],
        "insert": lambda: json.loads(run_baseline("bare_insert", config).output)["seconds"],
    }
    return [compare(f"05, {count:,} photos", repeat_alternately(calls), 1.3, False)]


def measure_sentences(inputs: Inputs) -> list[Row]:
    """Compare a search by sentence with text encoding and the bare Milvus call.

    The first ratio is the median of the ratios of each sentence, the second that of the 95th percentiles.
    """
    rows = 20_000 if inputs.quick else 50_000
    times = run_part("sentences", inputs.models, rows)
    sides = times["sentence to results"], times["minimum"]
    ours, minimum = (statistics.quantiles(side, n=20) for side in sides)
    paired = statistics.median(whole / bare for whole, bare in zip(*sides, strict=True))
    note = ", ".join(f"{key} {statistics.median(values):.1f} ms" for key, values in times.items())
    cells = [(f"{ours[i]:.1f} ms", f"encoding + call: {minimum[i]:.1f} ms") for i in (9, 18)]
    return [
        Row(f"a sentence, {rows:,} photos, median", *cells[0], paired, 1.2, note=note),
        Row(f"a sentence, {rows:,} photos, p95", *cells[1], ours[18] / minimum[18], 1.5),
    ]


def measure_filters(inputs: Inputs) -> list[Row]:
    rows = 2_000 if inputs.quick else 50_000
    output = run_program(BENCH.with_name("filter_speed.py"), "--rows", str(rows), "--json").output
    return [
        Row(
            f"filter, {rows:,} photos, {name}",
            f"{v['search']:.1f} ms",
            f"{v['bare call']:.1f} ms",
            v["ratio"],
        )
        for name, v in json.loads(output).items()
    ]


def measure_memory(inputs: Inputs) -> list[Row]:
    """Compare the peak memory of step 01 on many photos and on few."""
    few, many = (50, 200) if inputs.quick else (1_000, 20_000)
    models = get_demo_models()
    peaks = [inputs.run_step_01(inputs.link("tiny", count), models).peak_mb for count in (few, many)]
    cells = f"{peaks[1]:.0f} MB", f"{few:,} photos: {peaks[0]:.0f} MB"
    return [Row(f"memory of 01, {many:,} photos", *cells, peaks[1] / peaks[0], 1.1)]


def measure_clustering(inputs: Inputs) -> list[Row]:
    options = ("--here", "--largest", "0", "--faces", "2000" if inputs.quick else "10000")
    result = json.loads(run_program(BENCH.with_name("cluster_speed.py"), *options).output)
    cells = f"{result['seconds']} s", "scikit-learn"
    note = f"equal labels: {result['equal']}; peak {result['peak GB']} GB"
    return [Row(f"clustering {result['faces']:,} faces", *cells, result["scikit-learn / this"], note=note)]


def measure_faces(inputs: Inputs) -> list[Row]:
    """Compare step 02 with InsightFace's own loop."""
    program = BENCH.with_name("face_speed.py")
    if not program.exists():
        return [Row("02", "skipped", "", 0.0, note="there is no benchmarks/face_speed.py")]
    pack = inputs.models / "faces"  # full-size, if full_size_models.py makes it
    pack = pack if pack.is_dir() else get_demo_models() / "faces"
    result = json.loads(run_program(program, "--pack", pack, "--json").output)
    ours, library = (f"{result['both'][name]['ms_per_photo']} ms" for name in ("this", "library"))
    return [Row("02, a photo", ours, f"InsightFace: {library}", result["both"]["this"]["ratio"], None, False)]


ROWS: dict[str, Callable[[Inputs], list[Row]]] = {
    "help": measure_help,
    "cold": lambda inputs: [compare_cold(inputs.demo_album, "06, cold, the demo's models", 1.8)],
    "cold-full": lambda inputs: [compare_cold(inputs.full_size_album, "06, cold, full-size CLIP", 2.2)],
    "extract": measure_extraction,
    "few": measure_few_photos,
    "one-pass": measure_one_pass,
    "heic": measure_heic,
    "small": measure_small_photos,
    "unchanged": measure_unchanged,
    "build": measure_building,
    "sentence": measure_sentences,
    "filters": measure_filters,
    "memory": measure_memory,
    "clusters": measure_clustering,
    "faces": measure_faces,
}


def main() -> None:
    if sys.argv[1:2] == ["--run"]:
        globals()[f"run_{sys.argv[2]}"](*sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="NAME", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="fewer photos and rows; for trying it out")
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="photos to enlarge; default: a drawn album"
    )
    parser.add_argument("--models", type=Path, metavar="DIR", help="of full_size_models.py; default: made")
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep all inputs here, to use them again")
    parser.add_argument("--output", type=Path, default=BENCH.parent.parent / "outputs" / "bench.json")
    args = parser.parse_args()
    has_failed = False
    if not args.only:
        args.output.unlink(missing_ok=True)
    print_head()
    with tempfile.TemporaryDirectory() as temporary:
        inputs = Inputs(args.work or Path(temporary), args.photos, args.models, args.quick)
        for name in args.only or ROWS:
            start, other_work = time.perf_counter(), OtherWork()
            result: list[Row] | str
            try:
                result = ROWS[name](inputs)
            except Exception as error:  # the other rows are measured all the same
                result = f"{type(error).__name__}: {error}"
                has_failed = True
                print(f"{name}: FAILED: {result}", flush=True)
            for row in result if isinstance(result, list) else ():
                print_row(row)
            share = other_work.measure_share()
            seconds = time.perf_counter() - start
            print(f"    [{name}: {seconds:.0f} s; other work used {share:.0%} of the cores]", flush=True)
            save_result(args.output, name, result, {"quick": args.quick, "other work": round(share, 2)})
    sys.exit(1 if has_failed else 0)


if __name__ == "__main__":
    main()
