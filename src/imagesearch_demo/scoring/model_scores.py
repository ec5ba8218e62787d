"""Evaluation of the three small models on a drawn album, with the same libraries as the steps use.

torch, transformers, insightface and scikit-learn are imported inside the functions that need them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from imagesearch.evaluate import compare_clusterings
from imagesearch.features import ClipEncoder, VitEncoder
from imagesearch.photos import decode_photo
from imagesearch_demo.album import (
    SCENE_PLACES,
    Caption,
    list_album_facts,
    make_album,
    make_thing_phrase,
    match_captions,
)
from imagesearch_demo.drawing import THINGS, Rng, make_strangers

MODELS = Path(__file__).parents[3] / "data" / "demo" / "models"
EVALUATION_SEED = 90_001
SAME_PERSON = 0.5  # minimum cosine similarity of two faces of one person; average linkage is cut there too
DET_SIZE = 320  # pixels; the detector is trained for faces of 12 to 200 pixels at this size

# The minimum of each score.
MIN_MODEL_SCORES = {
    "text_to_image_p1": 0.92,
    "text_to_image_p5": 0.85,
    "colour_thing_p1": 0.90,
    "vit_accuracy": 0.97,
    "detection_recall": 0.97,
    "detection_precision": 0.98,
    "verification_accuracy": 0.98,
    "cluster_f1": 0.97,
}


def make_evaluation_album(
    folder: Path,
    photos: int = 300,
    seed: int = EVALUATION_SEED,
    workers: int = 2,
    progress: Callable = iter,
) -> dict:
    """Make an album of 12 people and all kinds of things; none of its pictures was used in training."""
    people, kinds = make_strangers(12, seed), tuple(THINGS)
    return make_album(folder, photos, seed, people=people, kinds=kinds, workers=workers, progress=progress)


def read_photos(folder: Path, truth: dict) -> list[Image.Image]:
    """Read the photos as the search does: decoded, upright, RGB."""
    return [decode_photo(folder / p["path"]).image for p in truth["photos"]]


def encode_album(
    model: Path, photos: Sequence[Image.Image], texts: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Encode photos and texts as unit vectors (n, d) and (m, d), float32."""
    clip = ClipEncoder(str(model), "cpu", "float32")
    return np.stack(list(clip.encode_stream(photos))), clip.encode_texts(texts)


def evaluate_clip(model: Path, photos: Sequence[Image.Image], truth: dict, seed: int = 0) -> dict[str, float]:
    """Measure the precision of text-to-image search, and the scores of things that are shown and not shown.

    Returns
    -------
    dict
        `text_to_image_p1` is precision@1 over 200 captions of a thing in a scene, and `text_to_image_p5` is
        precision@5 over those with at least five relevant photos. `colour_thing_p1` is precision@1 over all
        pairs of colour and thing in the album. `score_present` and `score_absent` are medians over the kinds
        of things: of the highest similarity among the photos that show the thing, and among the others.
    """
    rng = np.random.default_rng(seed)
    pool = [(p["scene"], t["kind"]) for p in truth["photos"] for t in p["things"]]
    placed = [_make_placed_caption(rng, *pool[rng.integers(len(pool))]) for _ in range(200)]
    pairs = sorted({(t["colour"], t["kind"]) for p in truth["photos"] for t in p["things"]})
    coloured = [Caption(f"a {colour} {kind}", (f"thing:{colour} {kind}",)) for colour, kind in pairs]
    kinds = [Caption(f"a photo of a {kind}", (f"thing:{kind}",)) for kind in THINGS]
    captions = [*placed, *coloured, *kinds]
    images, texts = encode_album(model, photos, [c.text for c in captions])
    scores, fit = texts @ images.T, match_captions(captions, list_album_facts(truth))
    hits = np.take_along_axis(fit, np.argsort(-scores, axis=1), axis=1)
    enough = fit[:200].sum(axis=1) >= 5
    tail = slice(len(captions) - len(kinds), None)
    return {
        "text_to_image_p1": float(hits[:200, 0].mean()),
        "text_to_image_p5": float(hits[:200][enough, :5].mean()) if enough.any() else float("nan"),
        "text_to_image_p5_captions": int(enough.sum()),
        "colour_thing_p1": float(hits[200 : 200 + len(coloured), 0].mean()),
        "score_present": float(np.median(np.where(fit[tail], scores[tail], -1).max(axis=1))),
        "score_absent": float(np.median(np.where(fit[tail], -1, scores[tail]).max(axis=1))),
    }


def _make_placed_caption(rng: Rng, scene: str, kind: str) -> Caption:
    places = SCENE_PLACES[scene]
    lead = ("a photo of ", "", "a picture of ")[rng.integers(3)]
    text = f"{lead}{make_thing_phrase(rng, kind, None)} {places[rng.integers(len(places))]}"
    return Caption(text, (f"thing:{kind}", f"scene:{scene}"))


def evaluate_vit(model: Path, photos: Sequence[Image.Image], truth: dict) -> dict[str, float]:
    """Measure the accuracy of the scene: the share of photos whose top class is correct."""
    vit = VitEncoder(str(model), "cpu", "float32")
    labels = [classes[0][0] for classes in vit.classify_stream(photos, top_k=1)]
    correct = [label == photo["scene"] for label, photo in zip(labels, truth["photos"], strict=True)]
    return {"vit_accuracy": float(np.mean(correct))}


def find_faces(model: Path, photos: Sequence[Image.Image], det_size: int = DET_SIZE) -> list[list[dict]]:
    """Detect the faces of each photo with InsightFace: box, landmarks and unit embedding."""
    import onnxruntime
    from insightface.app import FaceAnalysis

    onnxruntime.set_default_logger_severity(3)
    app = FaceAnalysis(str(model), providers=["CPUExecutionProvider"])
    app.prepare(-1, det_thresh=0.5, det_size=(det_size, det_size))
    return [
        [
            {"box": f.bbox, "landmarks": f.kps, "embedding": f.normed_embedding}
            for f in app.get(_convert_to_bgr(photo))
        ]
        for photo in photos
    ]


def _convert_to_bgr(photo: Image.Image) -> np.ndarray:
    return np.ascontiguousarray(np.asarray(photo)[..., ::-1])


def compute_ious(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute the intersection over union of boxes (n, 4) and (m, 4): (n, m)."""
    a, b = np.asarray(a, float).reshape(-1, 1, 4), np.asarray(b, float).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.prod(np.clip(sides, 0, None), axis=-1)
    area = [np.prod(v[..., 2:] - v[..., :2], axis=-1) for v in (a, b)]
    return shared / np.maximum(area[0] + area[1] - shared, 1e-9)


def match_faces(found: Sequence[list[dict]], truth: dict) -> list[tuple[dict, dict]]:
    """Match detected faces with drawn people by an intersection over union of at least 0.5, each once."""
    pairs = []
    for faces, photo in zip(found, truth["photos"], strict=True):
        people = photo["people"]
        if not faces or not people:
            continue
        ious = compute_ious([f["box"] for f in faces], [p["box"] for p in people])
        while ious.max() >= 0.5:
            i, j = np.unravel_index(ious.argmax(), ious.shape)
            pairs.append((faces[i], people[j]))
            ious[i], ious[:, j] = 0, 0
    return pairs


def evaluate_faces(
    model: Path, photos: Sequence[Image.Image], truth: dict, seed: int = 0
) -> dict[str, float]:
    """Measure detection recall and precision, verification accuracy, and BCubed F1 of the clusters."""
    from sklearn.cluster import AgglomerativeClustering

    found = find_faces(model, photos)
    pairs = match_faces(found, truth)
    drawn, detected = sum(len(p["people"]) for p in truth["photos"]), sum(map(len, found))
    scores = {"detection_recall": len(pairs) / drawn, "detection_precision": len(pairs) / max(1, detected)}
    if len(pairs) < 20:
        return {**scores, "verification_accuracy": 0.5, "cluster_f1": 0.0}
    vectors = np.stack([face["embedding"] for face, _ in pairs])
    names = np.array([person["name"] for _, person in pairs])
    scores["verification_accuracy"] = score_verification(vectors, names, seed)
    clusters = AgglomerativeClustering(
        None, metric="cosine", linkage="average", distance_threshold=1 - SAME_PERSON
    )
    scores["cluster_f1"] = compare_clusterings(clusters.fit_predict(vectors), names).f1
    return scores


def score_verification(
    vectors: np.ndarray, names: np.ndarray, seed: int = 0, threshold: float = SAME_PERSON
) -> float:
    """Measure the accuracy of face verification on equally many same and different pairs."""
    i, j = np.triu_indices(len(names), 1)
    same, score = names[i] == names[j], np.einsum("nd,nd->n", vectors[i], vectors[j])
    rng = np.random.default_rng(seed)
    count = min(same.sum(), (~same).sum())
    chosen = [rng.choice(np.flatnonzero(kind), count, replace=False) for kind in (same, ~same)]
    return float(np.mean([(score[chosen[0]] >= threshold).mean(), (score[chosen[1]] < threshold).mean()]))


def evaluate_models(models: Path, folder: Path, truth: dict, only: str | None = None) -> dict[str, float]:
    """Measure the models in a folder (`clip/`, `vit/`, `faces/`), or `only` one of them, on an album."""
    photos, scores = read_photos(folder, truth), {}
    for name, measure in (("clip", evaluate_clip), ("vit", evaluate_vit), ("faces", evaluate_faces)):
        if only in (None, name):
            scores |= measure(models / name, photos, truth)
    return {name: round(value, 4) for name, value in scores.items()}
