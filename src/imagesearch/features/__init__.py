"""Step 01: CLIP and ViT vectors, ViT classes, and the calibration of CLIP's scores.

Start with `extract_features` (``extract.py``). It writes the tables ``clip``, ``vit`` and ``classes``.

- ``encoders.py`` has the models: `ClipEncoder` for photos and texts, `VitEncoder` for photos and classes.
  ``hub.py`` finds their files, ``runtimes.py`` chooses device and precision.
- ``score_bands.py`` decides from the scores of a text search which photos are relevant, if any.
- `classify_photos` is step 07. It requires no tables.

Only this package imports torch, transformers and huggingface_hub, when a model is first used.
"""

from imagesearch.features.classify import Classification, classify_photos, list_photo_files
from imagesearch.features.conversion import is_converted
from imagesearch.features.encoders import ClipEncoder, VitEncoder, check_model, get_model_id
from imagesearch.features.extract import (
    VECTOR_KINDS,
    check_export_prefix,
    export_npy,
    extract_features,
    read_classes,
)
from imagesearch.features.score_bands import CalibratedScores, ScoreBands
from imagesearch.features.score_calibration import read_bands, read_reference_texts, save_bands

__all__ = [
    "VECTOR_KINDS",
    "CalibratedScores",
    "Classification",
    "ClipEncoder",
    "ScoreBands",
    "VitEncoder",
    "check_export_prefix",
    "check_model",
    "classify_photos",
    "export_npy",
    "extract_features",
    "get_model_id",
    "is_converted",
    "list_photo_files",
    "read_bands",
    "read_classes",
    "read_reference_texts",
    "save_bands",
]
