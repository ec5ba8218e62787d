"""A list with the columns of the Unsplash Lite data set, as its file photos.tsv000 has them."""

from __future__ import annotations

from pathlib import Path

COLUMNS = (
    *("photo_id", "photo_url", "photo_image_url", "photo_submitted_at", "photo_featured", "photo_width"),
    *("photo_height", "photo_aspect_ratio", "photo_description", "photographer_username"),
    *("photographer_first_name", "photographer_last_name", "exif_camera_make", "exif_camera_model"),
    *("exif_iso", "exif_aperture_value", "exif_focal_length", "exif_exposure_time", "photo_location_name"),
    *("photo_location_latitude", "photo_location_longitude", "photo_location_country"),
    *("photo_location_city", "stats_views", "stats_downloads", "ai_description"),
    *("ai_primary_landmark_name", "ai_primary_landmark_latitude", "ai_primary_landmark_longitude"),
    *("ai_primary_landmark_confidence", "blur_hash"),
)
ROWS = (
    {
        "photo_id": "Ab3-x_9",
        "photo_description": "Fishing boats at dawn",
        "photographer_username": "anaphoto",
        "photographer_first_name": "Ana",
        "exif_camera_make": "NIKON CORPORATION",
        "exif_camera_model": "NIKON D90",
        "photo_location_name": "Lisbon, Portugal",
        "photo_location_latitude": "38.7223",
        "photo_location_longitude": "-9.1393",
        "photo_location_country": "Portugal",
        "photo_location_city": "Lisbon",
        "ai_description": "boats on the water",
    },
    {
        "photo_id": "Qq7",
        "photographer_username": "bruno",
        "photo_location_name": "Kyoto, Japan",
        "photo_location_country": "Japan",
        "photo_location_city": "Kyoto",
        "ai_description": "a wooden temple",
    },
    {"photo_id": "Zz1", "photographer_username": "bruno", "ai_description": "a red bicycle"},
)
_ALWAYS = {"photo_submitted_at": "2019-05-12 20:47:02.001", "photo_featured": "t", "photo_width": "4000"}
_ALWAYS |= {"photo_height": "3000", "photo_aspect_ratio": "1.33", "stats_views": "1234", "blur_hash": "LjGu"}


def write_unsplash_list(file: Path, url: str) -> None:
    """Write the list, with the images at ``/good/ID`` of a server."""
    lines = ["\t".join(COLUMNS)]
    for row in ROWS:
        name = row["photo_id"]
        values = _ALWAYS | row | {"photo_url": f"https://unsplash.com/photos/{name}"}
        values["photo_image_url"] = f"{url}/good/photo-{ord(name[0])}?ixid={name}"
        lines.append("\t".join(values.get(column, "") for column in COLUMNS))
    file.write_text("\n".join(lines) + "\n", "utf-8")
