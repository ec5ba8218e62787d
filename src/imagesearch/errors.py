"""The exceptions of this package."""


class UserError(Exception):
    """An error that the user can fix; shown as one line without a traceback, exit code 2.

    The message says what happened, to which file or key, and what to do.
    """


class ServerUnavailableError(UserError):
    """A Milvus server does not answer; to repeat the request at once would fail too."""


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
