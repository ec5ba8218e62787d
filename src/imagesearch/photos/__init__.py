"""Photos as files: finding them below folders, decoding them upright, previews, and their metadata.

Knows Pillow, pillow-heif and rawpy. A photo that cannot be used raises `PhotoError`; nothing here knows
about models, tables or Milvus.
"""

from imagesearch.photos.decoding import DecodedPhoto, decode_photo
from imagesearch.photos.discovery import find_photos
from imagesearch.photos.formats import EXTENSIONS, PhotoError
from imagesearch.photos.metadata import PhotoMetadata, read_metadata
from imagesearch.photos.previews import PreviewCache
from imagesearch.photos.sources import Photo, compute_photo_id, hash_content, locate_file, make_path_prefix

__all__ = [
    "EXTENSIONS",
    "DecodedPhoto",
    "Photo",
    "PhotoError",
    "PhotoMetadata",
    "PreviewCache",
    "compute_photo_id",
    "decode_photo",
    "find_photos",
    "hash_content",
    "locate_file",
    "make_path_prefix",
    "read_metadata",
]
