"""The one exception that means: the user can fix this."""


class UserError(Exception):
    """Something the user can put right: shown as one line without a traceback, exit code 2.

    The message says what happened, to which file or key, and what to do.
    """
