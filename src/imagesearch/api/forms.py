"""The forms of the jobs: their inputs and parameters, as flask-ml and the desktop of Rescue Box read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from flask_ml.flask_ml_server.models import (
    DirectoryInput,
    EnumParameterDescriptor,
    EnumVal,
    FileInput,
    InputSchema,
    InputType,
    IntRangeDescriptor,
    ParameterSchema,
    RangedIntParameterDescriptor,
    TaskSchema,
    TextInput,
    TextParameterDescriptor,
)

DEFAULT_COUNT = 5
MAX_COUNT = 1000
NO_DATASET = "no dataset yet; ingest a folder of photos first"
ABOUT = """\
# Photo search

Find photos by a sentence, by a similar photo, or by a face. Nothing leaves this machine.

1. **Ingest a dataset**: select a folder of photos and give it a name. Vectors, faces, places and dates are
   extracted; 1,000 photos take some minutes. The photos are not changed.
2. **Search by text**: a full sentence, such as `maya on the beaches of goa in 2023`. People, places and dates
   in it are conditions; the rest is compared with what the photos show.
3. **Search by image**: photos that are similar to a photo.
4. **Search by face**: photos of the person with the largest face in a photo.

The title of each photo found has its score, the people, the place and the date. People have the names that
were given to them with `03_name_people.py`.
"""


class IngestInputs(TypedDict):
    """The inputs of the job that ingests a dataset."""

    directory: DirectoryInput


class IngestParameters(TypedDict):
    """The parameters of the job that ingests a dataset."""

    name: str


class TextInputs(TypedDict):
    """The inputs of a search by text."""

    query: TextInput


class PhotoInputs(TypedDict):
    """The inputs of a search by image or face."""

    photo: FileInput


class SearchParameters(TypedDict):
    """The parameters of all searches."""

    dataset: str
    count: int


def make_ingest_form() -> TaskSchema:
    """Return the form of the job that ingests a dataset."""
    directory = InputSchema(
        key="directory",
        label="Folder of photos",
        subtitle="Subfolders are included",
        input_type=InputType.DIRECTORY,
    )
    name = ParameterSchema(
        key="name",
        label="Name of the dataset",
        subtitle="Letters (a-z, A-Z), digits and _, without a digit first",
        value=TextParameterDescriptor(default="photos"),
    )
    return TaskSchema(inputs=[directory], parameters=[name])


def make_text_form(datasets: Sequence[str]) -> TaskSchema:
    """Return the form of a search by text."""
    query = InputSchema(
        key="query",
        label="What to search for",
        subtitle="A sentence, such as: maya on the beaches of goa in 2023",
        input_type=InputType.TEXT,
    )
    return TaskSchema(inputs=[query], parameters=_make_search_parameters(datasets))


def make_photo_form(datasets: Sequence[str], subtitle: str) -> TaskSchema:
    """Return the form of a search by image or face."""
    photo = InputSchema(key="photo", label="Photo", subtitle=subtitle, input_type=InputType.FILE)
    return TaskSchema(inputs=[photo], parameters=_make_search_parameters(datasets))


def _make_search_parameters(datasets: Sequence[str]) -> list[ParameterSchema]:
    dataset = EnumParameterDescriptor(
        enum_vals=[EnumVal(key=name, label=name) for name in datasets],
        message_when_empty=NO_DATASET,
        default=datasets[0] if datasets else "",
    )
    count = RangedIntParameterDescriptor(
        range=IntRangeDescriptor(min=1, max=MAX_COUNT), default=DEFAULT_COUNT
    )
    return [
        ParameterSchema(key="dataset", label="Dataset", subtitle="The photos to search", value=dataset),
        ParameterSchema(key="count", label="Number of results", subtitle="The best ones first", value=count),
    ]
