"""The file ``imported.json`` of a dataset whose vectors come from a .npy file and not from tables."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from imagesearch.errors import UserError, describe_error
from imagesearch.files import atomic_write

_FILE = "imported.json"


@dataclass(frozen=True)
class ImportedVectors:
    """The source of imported vectors.

    Attributes
    ----------
    vectors, paths : str
        The files that were imported: the matrix, and the list of photos.
    root : str
        The folder that the photos' paths are relative to.
    """

    vectors: str
    paths: str
    root: str

    def write(self, folder: Path) -> None:
        """Write the file to the folder of a dataset."""
        with atomic_write(folder / _FILE) as unfinished:
            unfinished.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=2), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read the file in the folder of a dataset; None if the dataset's vectors were not imported.

        Raises
        ------
        UserError
            If the file cannot be read.
        """
        file = folder / _FILE
        try:
            return cls(**json.loads(file.read_text("utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"{file}: cannot be read ({describe_error(error)}); delete it, and repeat 05 with --from-npy"
            ) from None

    @staticmethod
    def remove(folder: Path) -> None:
        """Remove the file, and the folder if nothing else is left in it."""
        for name in (_FILE, ".build.lock"):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # not empty
            folder.rmdir()
