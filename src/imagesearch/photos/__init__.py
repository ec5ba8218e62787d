"""Photos as files: finds them below folders, decodes them, and reads their metadata.

Start with `find_photos` (``discovery.py``), which lists the photos, and `decode_photo` (``decoding.py``),
which returns the pixels of one photo, upright and in RGB.

- `PreviewCache` keeps small copies of the photos that are slow to decode, `ThumbnailCache` those of all
  photos that a page of the web app has shown.
- `read_metadata` reads position, time, camera, rating, keywords and description without decoding the
  pixels; `add_name_date` adds the date in the file's name to a photo without a time.
- ``formats.py`` opens the file formats with Pillow, pillow-heif and rawpy.

A photo that cannot be used raises `PhotoError`. Nothing here depends on models, tables or Milvus.
"""

from imagesearch.photos.completeness import is_complete
from imagesearch.photos.decoding import DecodedPhoto, decode_photo
from imagesearch.photos.discovery import (
    PhotoListing,
    check_photo_folder,
    find_photos,
    is_photo_name,
    is_walked,
    list_photos,
)
from imagesearch.photos.face_regions import FaceRegion, read_face_regions, write_face_regions
from imagesearch.photos.formats import EXTENSIONS, PhotoError, is_photo_name, share_cores
from imagesearch.photos.metadata import PhotoMetadata, add_name_date, read_metadata
from imagesearch.photos.previews import PreviewCache
from imagesearch.photos.region_boxes import compute_inside, compute_iou
from imagesearch.photos.sources import (
    Photo,
    compute_photo_id,
    find_label,
    hash_content,
    is_file,
    is_folder,
    label_roots,
    locate_file,
    make_path_prefix,
    normalize_file_name,
)
from imagesearch.photos.thumbnails import ThumbnailCache

__all__ = [
    "EXTENSIONS",
    "DecodedPhoto",
    "FaceRegion",
    "Photo",
    "PhotoError",
    "PhotoListing",
    "PhotoMetadata",
    "PreviewCache",
    "ThumbnailCache",
    "add_name_date",
    "check_photo_folder",
    "compute_inside",
    "compute_iou",
    "compute_photo_id",
    "decode_photo",
    "find_label",
    "find_photos",
    "hash_content",
    "is_complete",
    "is_file",
    "is_folder",
    "is_photo_name",
    "is_walked",
    "label_roots",
    "list_photos",
    "locate_file",
    "make_path_prefix",
    "normalize_file_name",
    "read_face_regions",
    "read_metadata",
    "share_cores",
    "write_face_regions",
]
