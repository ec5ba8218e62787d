"""Photos as files: finds them below folders, decodes them, and reads their metadata.

Start with `find_photos` (``discovery.py``), which lists the photos, and `decode_photo` (``decoding.py``),
which returns the pixels of one photo, upright and in RGB.

- `read_photo_list` reads a list of photos: their files or addresses, and what else it has about them.
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
    Drive,
    PhotoListing,
    check_list_exists,
    check_photo_folder,
    find_photos,
    is_excluded,
    is_photo_name,
    is_walked,
    list_objects,
    list_photos,
)
from imagesearch.photos.face_regions import FaceRegion, read_face_regions, write_face_regions
from imagesearch.photos.formats import (
    EXTENSION_BY_FORMAT,
    EXTENSIONS,
    PhotoError,
    UnavailablePhotoError,
    check_photo,
    get_extension,
    identify_photo,
    share_cores,
)
from imagesearch.photos.metadata import PhotoMetadata, add_name_date, join_camera, read_metadata
from imagesearch.photos.photo_lists import ListedPhoto, PhotoList, explain_source, read_photo_list
from imagesearch.photos.previews import PreviewCache, write_small_copy
from imagesearch.photos.region_boxes import compute_inside, compute_iou
from imagesearch.photos.sources import (
    Photo,
    compute_photo_id,
    describe_missing,
    find_label,
    get_base,
    hash_content,
    is_address,
    is_download_path,
    is_file,
    is_folder,
    is_photo_list,
    is_present,
    is_source,
    label_roots,
    list_relative_paths,
    locate_file,
    make_path_prefix,
    normalize_file_name,
)
from imagesearch.photos.thumbnails import ThumbnailCache

__all__ = [
    "EXTENSIONS",
    "EXTENSION_BY_FORMAT",
    "DecodedPhoto",
    "Drive",
    "FaceRegion",
    "ListedPhoto",
    "Photo",
    "PhotoError",
    "PhotoList",
    "PhotoListing",
    "PhotoMetadata",
    "PreviewCache",
    "ThumbnailCache",
    "UnavailablePhotoError",
    "add_name_date",
    "check_list_exists",
    "check_photo",
    "check_photo_folder",
    "compute_inside",
    "compute_iou",
    "compute_photo_id",
    "decode_photo",
    "describe_missing",
    "explain_source",
    "find_label",
    "find_photos",
    "get_base",
    "get_extension",
    "hash_content",
    "identify_photo",
    "is_address",
    "is_complete",
    "is_download_path",
    "is_excluded",
    "is_file",
    "is_folder",
    "is_photo_list",
    "is_photo_name",
    "is_present",
    "is_source",
    "is_walked",
    "join_camera",
    "label_roots",
    "list_objects",
    "list_photos",
    "list_relative_paths",
    "locate_file",
    "make_path_prefix",
    "normalize_file_name",
    "read_face_regions",
    "read_metadata",
    "read_photo_list",
    "share_cores",
    "write_face_regions",
    "write_small_copy",
]
