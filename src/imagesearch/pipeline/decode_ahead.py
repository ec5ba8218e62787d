"""Decoding ahead: photos are hashed, decoded and prepared in threads, a limited number in advance."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from imagesearch.photos import Photo, PhotoError, PreviewCache, UnavailablePhotoError, hash_content
from imagesearch.pipeline.steps import ActiveStep, RunOptions
from imagesearch.pipeline.work_ahead import map_ahead


@dataclass
class PreparedPhoto:
    """A photo that was decoded once and prepared for each step that requires it.

    Attributes
    ----------
    photo : Photo
    content : bytes
        Its content hash; zeros if the file cannot be read.
    width, height : int
        Of the whole upright photo, in pixels; 0 if it was not decoded.
    inputs : dict
        The input of each step's processor, by the step's name.
    errors : dict of str to str
        The reason by the step's name, for each step that has no input.
    remark : str
        What is missing of a damaged photo that was decoded in part; else empty.
    unavailable : str
        Why the photo cannot be fetched at present; else empty. It has no inputs and no errors then: the next
        run processes it.
    """

    photo: Photo
    content: bytes = bytes(16)
    width: int = 0
    height: int = 0
    inputs: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    remark: str = ""
    unavailable: str = ""


def decode_ahead(
    photos: Sequence[Photo],
    steps: Sequence[ActiveStep],
    previews: PreviewCache,
    hashes: Mapping[int, bytes],
    options: RunOptions,
    window: int,
) -> Generator[PreparedPhoto, None, None]:
    """Yield the prepared photos in order, with at most ``window`` photos prepared or in preparation.

    While photos in buckets are read, which is mostly waiting, no more photos are decoded at the same time
    than without: a large one takes 600 MB.

    Closing the iterator cancels the photos that no thread has started yet.

    Parameters
    ----------
    photos
        Photos that at least one step requires.
    steps
        Each photo is prepared for the steps that miss it.
    previews
        Decodes the photos.
    hashes
        Known content hashes by photo id. Other files are read to compute theirs.
    options
        Numbers of threads and transfers.
    window
        Number of photos.
    """
    decoding = threading.BoundedSemaphore(options.threads)

    def prepare(photo: Photo) -> PreparedPhoto:
        missing = [step for step in steps if photo.photo_id in step.missing]
        return prepare_photo(photo, missing, previews, hashes, decoding)

    threads = max(options.threads, options.transfers)
    return map_ahead(prepare, photos, threads, window, "decode", cores=options.threads)


def prepare_photo(
    photo: Photo,
    steps: Sequence[ActiveStep],
    previews: PreviewCache,
    hashes: Mapping[int, bytes],
    decoding: AbstractContextManager[Any] | None = None,
) -> PreparedPhoto:
    """Hash and decode a photo once, in the size that its largest step requires, and prepare it for each.

    ``decoding`` is entered while the photo is decoded; it can limit how many are.
    """
    names = [step.spec.name for step in steps]
    try:
        with previews.provide_file(photo) as opened, decoding or nullcontext():
            return replace(_prepare_file(opened, steps, previews, hashes), photo=photo)
    except UnavailablePhotoError as error:
        return PreparedPhoto(photo, unavailable=str(error))
    except PhotoError as error:
        return PreparedPhoto(photo, errors=dict.fromkeys(names, str(error)))


def _prepare_file(
    photo: Photo, steps: Sequence[ActiveStep], previews: PreviewCache, hashes: Mapping[int, bytes]
) -> PreparedPhoto:
    """Do the same with a photo whose file is on the disk."""
    prepared, names = PreparedPhoto(photo), [step.spec.name for step in steps]
    min_short_side = max(step.processor.min_short_side for step in steps)
    min_long_side = max(step.processor.min_long_side for step in steps)
    decoded = None
    try:
        prepared.content = hashes.get(photo.photo_id) or hash_content(photo.file)
        if min_short_side or min_long_side:
            decoded = previews.load(photo, min_short_side, min_long_side)
            prepared.width, prepared.height = decoded.width, decoded.height
            prepared.remark = decoded.remark
    except PhotoError as error:
        return replace(prepared, errors=dict.fromkeys(names, str(error)))
    except OSError as error:
        return replace(prepared, errors=dict.fromkeys(names, f"cannot be read: {error.strerror or error}"))
    for name, step in zip(names, steps, strict=True):
        try:
            prepared.inputs[name] = step.processor.prepare(photo, decoded)
        except PhotoError as error:
            prepared.errors[name] = str(error)
        except Exception as error:  # an unexpected error of a library in one photo must not end the run
            prepared.errors[name] = f"cannot be prepared: {type(error).__name__}: {error}"
    return prepared
