"""Errors that have a meaning of their own: the user can fix this, this photo, this geocoder fails."""


class UserError(Exception):
    """Something the user can put right: shown as one line without a traceback, exit code 2.

    The message says what happened, to which file or key, and what to do.
    """


class UnreadablePhotoError(UserError):
    """The photo of a query cannot be read; another query may do better."""


class GeocoderError(Exception):
    """Why a geocoder has not answered.

    ``final`` where asking on would be of no use, or rude; ``busy`` where it is the server that could not,
    rather than the place that it stumbled over.
    """

    def __init__(self, reason: str, *, final: bool = False, busy: bool = False) -> None:
        super().__init__(reason)
        self.final, self.busy = final, busy
