"""Step 01: CLIP and ViT vectors, ViT classes, and what CLIP's scores mean.

Knows torch, transformers and the Hugging Face hub; all of them are imported when a model is first needed.
Writes the tables ``clip``, ``vit`` and ``classes``.
"""

from imagesearch.features.classify import Classified, classify_photos, photo_files
from imagesearch.features.encoders import ClipEncoder, VitEncoder, model_id
from imagesearch.features.extract import KINDS, check_prefix, export_npy, extract_features, read_classes
from imagesearch.features.score_bands import Bands, Verdict
from imagesearch.features.score_calibration import keep_bands, known_texts, read_bands

__all__ = [
    "KINDS",
    "Bands",
    "Classified",
    "ClipEncoder",
    "Verdict",
    "VitEncoder",
    "check_prefix",
    "classify_photos",
    "export_npy",
    "extract_features",
    "keep_bands",
    "known_texts",
    "model_id",
    "photo_files",
    "read_bands",
    "read_classes",
]
