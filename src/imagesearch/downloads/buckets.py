"""Buckets: listing and reading their objects with fsspec, within limits; why that fails.

Credentials and the address of the server come only from what fsspec and botocore read themselves: their
environment variables and files.
"""

from __future__ import annotations

import errno
import re
import threading
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagesearch.bucket_paths import BucketPath
from imagesearch.config import DownloadsConfig
from imagesearch.errors import UserError, describe_error
from imagesearch.photos import PhotoError, UnavailablePhotoError
from imagesearch.text import shorten_reason

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# Answers of S3 with a status 4xx that say nothing about a single object; "400" is one without a code.
_GENERAL_ERRORS = (
    *("ExpiredToken", "InvalidAccessKeyId", "NoSuchBucket", "RequestTimeTooSkewed", "SignatureDoesNotMatch"),
    *("InvalidToken", "TokenRefreshRequired", "RequestExpired", "AccessTimeout", "RequestTimeout", "400"),
    *("AccountProblem", "AllAccessDisabled", "NotSignedUp", "AuthorizationHeaderMalformed", "BadRequest"),
    *("IncorrectEndpoint", "IllegalLocationConstraintException", "SlowDown", "TooManyRequests"),
)
_TEMPORARY = (408, 425, 429)
# The names that file systems of fsspec have for the time of the last change.
_TIME_NAMES = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")


@dataclass(frozen=True, slots=True)
class BucketObject:
    """An object of a listing: its key below the prefix, its bytes, and its time in nanoseconds."""

    key: str
    size: int
    mtime_ns: int


class BucketReader:
    """Lists and reads objects.

    Parameters
    ----------
    limits
        Times, bytes, repetitions, and the number of objects that are read at the same time.
    """

    def __init__(self, limits: DownloadsConfig) -> None:
        self._limits = limits
        self._systems: dict[str, AbstractFileSystem] = {}
        self._lock = threading.Lock()

    def list_objects(self, root: BucketPath) -> Iterator[BucketObject]:
        """Yield the objects below a bucket or prefix. Nothing is read of them.

        Raises
        ------
        UserError
            If the bucket cannot be listed.
        """
        system, base = self._open(root)
        try:
            found = system.find(base, detail=True)
        except Exception as error:  # of any library below fsspec
            raise UserError(_explain_listing(root, error)) from None
        for name, info in found.items():
            if name.startswith(f"{base}/") and not name.endswith("/"):
                yield BucketObject(name[len(base) + 1 :], int(info.get("size") or 0), _read_time(info))

    def check(self, root: BucketPath, is_photo: Callable[[str], bool]) -> bool:
        """Whether there is a photo below a bucket or prefix; the search ends at the first one.

        Parameters
        ----------
        root
            The bucket or prefix.
        is_photo
            Whether a key below it is that of a photo.

        Raises
        ------
        UserError
            If the bucket cannot be listed.
        """
        system, base = self._open(root)
        try:
            for folder, _, files in system.walk(base, on_error="raise"):
                below = f"{folder[len(base) + 1 :]}/" if len(folder) > len(base) else ""
                if any(is_photo(f"{below}{name}") for name in files):
                    return True
        except FileNotFoundError as error:
            if _get_code(error) in _GENERAL_ERRORS:
                raise UserError(_explain_listing(root, error)) from None
        except Exception as error:
            raise UserError(_explain_listing(root, error)) from None
        return False

    def fetch(self, file: BucketPath, target: Path) -> None:
        """Write an object to a file.

        Raises
        ------
        UnavailablePhotoError
            If the bucket does not answer: the same can succeed later.
        PhotoError
            If the object is gone, may not be read or is too large.
        OSError
            If the file cannot be written.
        """
        system, key = self._open(file)
        with target.open("wb"):  # so that what cannot be written is not taken for an error of the bucket
            pass
        try:
            try:
                self._read(system, key, target)
            except FileNotFoundError as error:
                if _is_local(error, target) or key.isascii():
                    raise
                self._read(system, _find_decomposed(system, key), target)
        except PhotoError:
            raise
        except _get_timeout_error():
            raise UnavailablePhotoError(
                f"not finished within {self._limits.seconds:g} s (downloads.seconds); on a slow line, "
                "lower downloads.concurrency"
            ) from None
        except Exception as error:
            if _is_local(error, target):
                raise
            kind, reason = _explain_reading(error)
            raise kind(reason) from None

    def cancel(self) -> None:
        """End the transfers in progress, at once; threads that wait for them go on with an error."""
        import asyncio

        for system in self._systems.values():
            if system.async_impl:
                loop = system.loop
                loop.call_soon_threadsafe(lambda loop=loop: [t.cancel() for t in asyncio.all_tasks(loop)])

    def _read(self, system: AbstractFileSystem, key: str, target: Path) -> None:
        """Write an object to a file. If its transfer is interrupted, it is read again from the start.

        s3fs would go on in the middle, also if the object has been replaced in the meantime.
        """
        options: dict[str, Any] = {"timeout": self._limits.seconds} if system.async_impl else {}
        if hasattr(system, "max_concurrency"):
            options["max_concurrency"] = 1  # no parts, each of which would be asked for by itself
        for attempt in range(self._limits.retries + 1):
            check = _make_size_check(self._limits.max_megabytes)
            try:
                system.get_file(key, str(target), callback=check, **options)
            except (PhotoError, FileNotFoundError, _get_timeout_error()):
                raise
            except Exception as error:
                if check.size is None or attempt == self._limits.retries or _is_local(error, target):
                    raise  # without an answer, botocore has repeated the request
            else:
                return

    def _open(self, path: BucketPath) -> tuple[AbstractFileSystem, str]:
        """Return the file system of an address, and the address as it knows it."""
        try:
            import fsspec
        except ImportError:
            raise UserError(
                f'{path}: photos in buckets require more packages; run pip install -e ".[scale]"'
            ) from None
        with self._lock:
            try:
                system = self._systems.get(path.scheme)
                if system is None:
                    system = fsspec.filesystem(path.scheme, **self._make_options(path.scheme))
                    system.retries = 1  # s3fs would repeat what botocore has repeated
                    self._systems[path.scheme] = system
            except (ImportError, ValueError) as error:
                reason = shorten_reason(str(error))
                raise UserError(f"{path}: buckets of this kind cannot be read: {reason}") from None
        return system, str(system._strip_protocol(str(path))).rstrip("/")

    def _make_options(self, scheme: str) -> dict[str, Any]:
        options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
        if scheme in ("s3", "s3a"):
            seconds = self._limits.first_byte_seconds
            options["config_kwargs"] = {
                "connect_timeout": seconds,
                "read_timeout": seconds,
                "max_pool_connections": self._limits.concurrency,
                "retries": {"mode": "standard", "total_max_attempts": self._limits.retries + 1},
            }
        return options


def _is_local(error: Exception, target: Path) -> bool:
    """Whether the file on the disk could not be written; else the bucket is the reason."""
    if not isinstance(error, OSError) or _get_response(error):
        return False
    return error.filename == str(target) or error.errno in (errno.ENOSPC, errno.EDQUOT)


def _find_decomposed(system: AbstractFileSystem, key: str) -> str:
    """Return the key that is written like another one with other characters of Unicode.

    The paths of photos are composed (NFC). A Mac uploads decomposed names; also only those of the files, into
    a folder that was made elsewhere.
    """
    found, *names = key.split("/")
    for name in names:
        below = system.ls(found, detail=False)
        ends = [path.rstrip("/").rpartition("/")[2] for path in below]
        composed = unicodedata.normalize("NFC", name)
        same = (end for end in ends if unicodedata.normalize("NFC", end) == composed)
        found = f"{found}/{name if name in ends else next(same, name)}"
    return found


def _make_size_check(max_megabytes: float) -> Any:
    """Return a callback of fsspec that ends a transfer of too many bytes."""
    from fsspec.callbacks import Callback

    class SizeCheck(Callback):
        def set_size(self, size: int | None) -> None:
            super().set_size(size)
            self._check(size or 0)

        def relative_update(self, inc: int = 1) -> None:
            super().relative_update(inc)
            self._check(self.value)

        def _check(self, size: int) -> None:
            if size > max_megabytes * 1e6:
                raise PhotoError(f"larger than {max_megabytes:g} MB (downloads.max_megabytes)")

    return SizeCheck()


def _explain_listing(root: BucketPath, error: Exception) -> str:
    _, reason = _explain_reading(error)
    return f"{root}: the bucket cannot be listed: {reason}; its photos stay as they were"


def _explain_reading(error: Exception) -> tuple[type[PhotoError], str]:
    """Return why an object cannot be read, and whether that can be different later."""
    text = re.sub(r"\?[^\s\"']*", "", describe_error(error))  # the parameters of a request say nothing
    code, message = _get_code(error), shorten_reason(text) or type(error).__name__
    if code in _GENERAL_ERRORS:
        return UnavailablePhotoError, f"{code}: {message}"
    if isinstance(error, FileNotFoundError):
        return PhotoError, "no such object"
    if isinstance(error, PermissionError):
        return PhotoError, f"may not be read: {message}"
    response = _get_response(error)
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if 400 <= status < 500 and status not in _TEMPORARY:  # such as a key of KMS that is disabled
        answer = shorten_reason(str(response.get("Error", {}).get("Message", "")))
        return PhotoError, f"cannot be read: {code}: {answer or message}"
    return UnavailablePhotoError, message


def _get_code(error: Exception) -> str:
    """Return the code of an answer of S3; empty if there was no answer."""
    return str(_get_response(error).get("Error", {}).get("Code", ""))


def _get_response(error: Exception) -> dict[str, Any]:
    response = getattr(error.__cause__, "response", None) or getattr(error, "response", None)
    return response if isinstance(response, dict) else {}


def _get_timeout_error() -> type[Exception]:
    """Return the error of fsspec if a transfer takes longer than its limit."""
    from fsspec.exceptions import FSTimeoutError

    return FSTimeoutError


def _read_time(info: dict[str, Any]) -> int:
    """Return the time of the last change in nanoseconds; 0 if it is not known."""
    value = next((info[name] for name in _TIME_NAMES if info.get(name)), 0)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return 0
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return round(float(value) * 1e6) * 1000
