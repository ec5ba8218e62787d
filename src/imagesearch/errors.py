"""The exceptions of this package, and how their messages name the inputs of a search."""

import re
from collections.abc import Mapping

_options_are_typed = False
_argument_names: Mapping[str, str] = {}


class UserError(Exception):
    """An error that the user can fix; shown as one line without a traceback, exit code 2.

    The message says what happened, to which file or key, and what to do.
    """


class BusyError(UserError):
    """Another run holds a lock; the same can succeed when that run has ended."""


class MergedShardsError(BusyError):
    """Another run has merged the shards of a table while they were read."""


class ServerUnavailableError(UserError):
    """A Milvus server does not answer; to repeat the request at once would fail too."""


class BucketUnavailableError(UserError):
    """A bucket has stopped answering in the middle of a run; the next run goes on."""


class UnreadablePhotoError(UserError):
    """The photo of a query cannot be read; other queries can still succeed."""


class GeocoderError(Exception):
    """An online geocoder has not returned a valid response.

    Attributes
    ----------
    final : bool
        The run must send no more requests: they would fail too, or break the server's rules.
    busy : bool
        The server is overloaded or unreachable; the failure does not depend on the place.
    """

    def __init__(self, reason: str, *, final: bool = False, busy: bool = False) -> None:
        super().__init__(reason)
        self.final, self.busy = final, busy


def name_typed_options(are_typed: bool) -> None:
    """Choose how messages name an input: ``--image`` in a script, ``image`` if Python code calls us."""
    global _options_are_typed
    _options_are_typed = are_typed


def name_arguments(names: Mapping[str, str]) -> None:
    """Choose other names of arguments in messages, by argument; those of the web app are in addresses."""
    global _argument_names
    _argument_names = names


def name_option(option: str, argument: str) -> str:
    """Return what a message calls an input: the option of a script, or the argument of a Python call."""
    return option if _options_are_typed else name_argument(argument)


def name_argument(argument: str) -> str:
    """Return what a message calls an input that has no option of a script, or whose option is checked."""
    return _argument_names.get(argument, argument)


def describe_error(error: Exception) -> str:
    """Return the reason of an error without its number and file, such as ``No such file or directory``."""
    reason = error.strerror if isinstance(error, OSError) else None
    return reason or re.sub(r"\[(?:Errno|WinError) -?\d+\] ", "", str(error))
