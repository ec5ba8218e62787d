"""Writes a drawn album: photos with EXIF metadata in a folder, and their ground truth beside it.

The ground truth, ``FOLDER.truth.json``::

    {"made_by": "imagesearch.demo", "complete": true, "seed": 1,
     "people": ["Maya", ...],
     "photos": [{
        "path": "2023-04 Goa/IMG_0001.jpg",   relative to the folder, with "/", in NFC
        "width": 640, "height": 480,          of the upright picture
        "orientation": 1,                     EXIF tag of the stored pixels
        "caption": "a person and a red kite on a beach at sunset",
        "scene": "beach",                     one of SCENES
        "time_of_day": "sunset",              day, sunset or night
        "things": [{"kind": "kite", "colour": "red", "box": [x1, y1, x2, y2]}],
        "people": [{"name": "Maya", "box": [...], "landmarks": [[x, y] * 5]}],
        "latitude": 15.58, "longitude": 73.74,        null without GPS
        "place": "Goa", "city": "Anjuna", "state": "Goa", "country": "India",
        "taken_at": "2023-04-12T18:02:11",    local time
        "utc_offset": "+05:30", "camera": "Sketchbook One", "rating": 0}]}

The captions are also in ``FOLDER.captions.csv``, with paths relative to the folder of that file.

Boxes and landmarks are in pixels of the upright picture. The box of a face spans from forehead to chin. Its
landmarks are the eyes, the nose and the corners of the mouth; of each pair, the one on the left side of the
picture is first. The place is given even if the photo has no GPS position.
"""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from imagesearch.errors import UserError
from imagesearch_demo.album.captions import make_truth_caption
from imagesearch_demo.album.plan import Shot, plan_album
from imagesearch_demo.drawing import CAST, THINGS, CastMember, PictureTruth, draw_picture, map_in_processes

MAKER = "imagesearch.demo"
# Kinds of things that the models are trained on but that no album shows, to test searches for absent things.
ABSENT_KINDS = ("guitar", "suitcase")
ALBUM_KINDS = tuple(kind for kind in THINGS if kind not in ABSENT_KINDS)

# How to transpose an upright picture so that applying the EXIF orientation restores it.
_STORED_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825


def get_truth_path(folder: str | Path) -> Path:
    """Return the path of an album's ground truth, which is beside its folder."""
    return _get_path_beside(folder, "truth.json")


def get_captions_path(folder: str | Path) -> Path:
    """Return the path of an album's captions, a CSV file with the columns path and caption."""
    return _get_path_beside(folder, "captions.csv")


def _get_path_beside(folder: str | Path, ending: str) -> Path:
    folder = Path(folder)
    return folder.with_name(f"{folder.name}.{ending}")


def make_album(
    folder: str | Path,
    photos: int = 240,
    seed: int = 1,
    *,
    people: Sequence[CastMember] = CAST,
    kinds: Sequence[str] = ALBUM_KINDS,
    workers: int = 2,
    progress: Callable = iter,
) -> dict:
    """Draw an album of 640 x 480 photos: mostly JPEG, some HEIC and PNG, with EXIF metadata.

    Parameters
    ----------
    folder : path
        The folder for the photos, in subfolders. It is created if needed; an earlier album is replaced.
    photos : int
        Number of photos.
    seed : int
        The same arguments give the same pixels and the same ground truth.
    people : sequence of CastMember
        The people in it; `make_strangers(12, seed)` makes unseen ones, `make_sibling` makes look-alikes.
    kinds : sequence of str
        Kinds of things that may be in it, of `THINGS`.
    workers : int
        Number of drawing processes; 0 draws in this process.
    progress : callable
        Wraps the iterator over photos, for example tqdm.

    Returns
    -------
    dict
        The ground truth as written beside the folder; see the top of this module for its format.

    Raises
    ------
    UserError
        If the folder contains other files than those of an album, or an argument is out of range.
    """
    folder = Path(folder)
    if photos < 1:
        raise UserError(f"photos: expected at least 1, got {photos}")
    shots = plan_album(photos, seed, people, kinds)
    _remove_album(folder)
    truth = {"made_by": MAKER, "complete": False, "seed": seed, "people": [p.name for p in people],
             "photos": [{"path": shot.path} for shot in shots]}  # fmt: skip
    _write_truth(folder, truth)  # before the first photo, so that an interrupted album is recognised
    for parent in {(folder / shot.path).parent for shot in shots}:
        parent.mkdir(parents=True, exist_ok=True)
    truth["photos"] = list(map_in_processes(partial(_make_photo, folder), shots, workers, progress))
    truth["complete"] = True
    _write_captions(folder, truth)
    _write_truth(folder, truth)
    return truth


def read_truth(folder: str | Path) -> dict:
    """Read the ground truth of an album, as `make_album` returned it."""
    return json.loads(get_truth_path(folder).read_text(encoding="utf-8"))


def _remove_album(folder: Path) -> None:
    """Remove the photos of an earlier album, and no other files."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: expected a folder, got a file")
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        return
    try:
        old = read_truth(folder)
    except (OSError, ValueError):
        old = {}
    if not isinstance(old, dict) or old.get("made_by") != MAKER:
        raise UserError(f"{folder}: not empty and not a drawn album; choose a new folder")
    for photo in old["photos"]:
        file = folder / photo["path"]
        file.unlink(missing_ok=True)
        if file.parent != folder and file.parent.is_dir() and not any(file.parent.iterdir()):
            file.parent.rmdir()


def _write_truth(folder: Path, truth: dict) -> None:
    target = get_truth_path(folder)
    draft = target.with_name(f"{target.name}.part")
    draft.write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    draft.replace(target)


def _write_captions(folder: Path, truth: dict) -> None:
    with get_captions_path(folder).open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(["path", "caption"])
        lines.writerows([f"{folder.name}/{photo['path']}", photo["caption"]] for photo in truth["photos"])


def _make_photo(folder: Path, shot: Shot) -> dict:
    """Draw and write one photo; return its entry in the ground truth."""
    image, truth = draw_picture(shot.spec)
    stored = image.transpose(_STORED_TURNS[shot.orientation]) if shot.orientation in _STORED_TURNS else image
    file = folder / shot.path
    exif = _make_exif(shot)
    if file.suffix == ".heic":
        import pillow_heif

        pillow_heif.from_pillow(stored).save(file, quality=82, exif=exif.tobytes())
    elif file.suffix == ".png":
        stored.save(file, exif=exif, compress_level=4)
    else:
        stored.save(file, quality=90, exif=exif)
    return _describe_photo(shot, truth, image.size)


def _describe_photo(shot: Shot, truth: PictureTruth, size: tuple[int, int]) -> dict:
    latitude, longitude = shot.position or (None, None)
    return {
        "path": unicodedata.normalize("NFC", shot.path), "width": size[0], "height": size[1],
        "orientation": shot.orientation, "caption": make_truth_caption(truth), "scene": truth.scene,
        "time_of_day": truth.time, "things": truth.things, "people": truth.people,
        "latitude": latitude, "longitude": longitude, "place": shot.place.name, "city": shot.place.city,
        "state": shot.place.state, "country": shot.place.country, "taken_at": shot.taken_at.isoformat(),
        "utc_offset": shot.place.utc, "camera": shot.camera[1], "rating": shot.rating,
    }  # fmt: skip


def _make_exif(shot: Shot) -> Image.Exif:
    exif = Image.Exif()
    stamp = f"{shot.taken_at:%Y:%m:%d %H:%M:%S}"
    exif[0x010F], exif[0x0110] = shot.camera
    exif[0x0112], exif[0x0131], exif[0x0132] = shot.orientation, MAKER, stamp
    if shot.rating:
        exif[0x4746] = shot.rating
    # DateTimeOriginal, DateTimeDigitized, OffsetTimeOriginal
    exif.get_ifd(_EXIF_IFD).update({0x9003: stamp, 0x9004: stamp, 0x9011: shot.place.utc})
    if shot.position:
        latitude, longitude = shot.position
        exif.get_ifd(_GPS_IFD).update(
            {
                0: b"\x02\x03\x00\x00",
                1: "S" if latitude < 0 else "N",
                2: _to_degrees(latitude),
                3: "W" if longitude < 0 else "E",
                4: _to_degrees(longitude),
            }
        )
    return exif


def _to_degrees(angle: float) -> tuple[float, float, float]:
    """Convert an angle to degrees, minutes and seconds, as EXIF stores them."""
    minutes, seconds = divmod(round(abs(angle) * 3600, 3), 60)
    return float(minutes // 60), float(minutes % 60), round(seconds, 3)
