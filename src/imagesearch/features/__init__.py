"""Step 01: CLIP and ViT vectors, ViT classes, and what CLIP's scores mean.

Knows torch, transformers and the Hugging Face hub; all of them are imported when a model is first needed.
Writes the tables ``clip``, ``vit`` and ``classes``.
"""

from imagesearch.features.classify import Classification, classify_photos, list_photo_files
from imagesearch.features.encoders import ClipEncoder, VitEncoder, get_model_id
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
    "classify_photos",
    "export_npy",
    "extract_features",
    "get_model_id",
    "list_photo_files",
    "read_bands",
    "read_classes",
    "read_reference_texts",
    "save_bands",
]
