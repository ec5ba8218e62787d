"""Photos as files: finding them below folders, decoding them upright, previews, and their metadata.

Knows Pillow, pillow-heif and rawpy. A photo that cannot be used raises `PhotoError`; nothing here knows
about models, tables or Milvus.
"""

from imagesearch.photos.decoding import Picture, decode
from imagesearch.photos.discovery import find_photos
from imagesearch.photos.formats import EXTENSIONS, PhotoError
from imagesearch.photos.metadata import Facts, read_facts
from imagesearch.photos.previews import Previews
from imagesearch.photos.sources import Photo, content_hash, locate, path_below, photo_id

__all__ = [
    "EXTENSIONS",
    "Facts",
    "Photo",
    "PhotoError",
    "Picture",
    "Previews",
    "content_hash",
    "decode",
    "find_photos",
    "locate",
    "path_below",
    "photo_id",
    "read_facts",
]
