"""Train the three small models of the demo from scratch, or evaluate existing ones."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from pathlib import Path

MODELS = ("clip", "vit", "faces")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=f"{__doc__} The training takes about 95 minutes of processor time."
    )
    parser.add_argument("--only", choices=MODELS, help="train or evaluate one model instead of all")
    parser.add_argument(
        "--seed", type=int, default=0, help="random seed of pictures and weights (default: %(default)s)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("data/demo/models"),
        help="folder of the models (default: %(default)s)",
    )
    parser.add_argument(
        "--evaluate", action="store_true", help="evaluate the models in --out without training"
    )
    parser.add_argument(
        "--photos", type=int, default=300, help="number of photos for the evaluation (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the scores as JSON")
    return parser.parse_args()


def main() -> int:
    args = parse_arguments()
    names = [args.only] if args.only else list(MODELS)

    def log(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    minutes = {}
    if not args.evaluate:
        # Checked now, because the faces are exported after half an hour of training.
        if "faces" in names and importlib.util.find_spec("onnxscript") is None:
            return report_error('training the face models requires onnxscript: pip install -e ".[train]"')
        from imagesearch_demo.training.train import train_models

        minutes = train_models(args.out, names, args.seed, log)
    missing = [name for name in names if not (args.out / name).is_dir()]
    if missing:
        return report_error(
            f"{args.out}: no {', '.join(missing)}; give the folder of the models with --out, or train them"
        )
    scores = measure_models(args, log) | {f"minutes_{name}": value for name, value in minutes.items()}
    print_scores(scores, args.json)
    return 0


def report_error(line: str) -> int:
    """Print an error that the user can fix; return the exit code."""
    print(line, file=sys.stderr)
    return 2


def measure_models(args: argparse.Namespace, log) -> dict[str, float]:
    from imagesearch_demo.scoring import evaluate_models, make_evaluation_album

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        album = Path(folder) / "album"
        log(f"drawing {args.photos} photos of people unseen in training")
        truth = make_evaluation_album(album, args.photos)
        scores = evaluate_models(args.out, album, truth, args.only)
    log(f"evaluated in {(time.perf_counter() - started) / 60:.1f} min")
    return scores


def print_scores(scores: dict[str, float], as_json: bool) -> None:
    if as_json:
        print(json.dumps(scores, indent=2))
        return
    from imagesearch_demo.scoring import MIN_MODEL_SCORES

    for name, value in scores.items():
        floor = f"  (at least {MIN_MODEL_SCORES[name]})" if name in MIN_MODEL_SCORES else ""
        print(f"{name:28}{value:>9.4g}{floor}")


if __name__ == "__main__":
    sys.exit(main())
