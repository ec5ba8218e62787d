"""The password of the server: how it is compared, who may try again, and who has entered it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict, deque

# 16 MB and about 50 ms for each attempt, the parameters that RFC 7914 recommends for interactive logins.
_COST = {"n": 2**14, "r": 8, "p": 1}
_MAX_ATTEMPTS = 5
_MAX_ATTEMPTS_OF_ALL = 30
_SECONDS_OF_ATTEMPTS = 60.0
_MAX_SESSIONS = 200
_MAX_ADDRESSES = 10_000


class PasswordGate:
    """Compares passwords, and keeps the sessions of the browsers that sent the right one.

    Passwords are compared by their hashes. The sessions end with the process.

    Parameters
    ----------
    password
        The password.
    """

    def __init__(self, password: str) -> None:
        self._salt = secrets.token_bytes(16)
        self._hash = self._compute_hash(password)
        self._sessions: OrderedDict[bytes, None] = OrderedDict()
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()
        self._attempts_of_all: deque[float] = deque()

    def count_attempt(self, address: str) -> float:
        """Count an attempt from an address; return 0, or the seconds until the address may try again."""
        now = time.monotonic()
        own = self._attempts.setdefault(address, deque())
        self._attempts.move_to_end(address)
        while len(self._attempts) > _MAX_ADDRESSES:
            self._attempts.popitem(last=False)
        waits = [
            _get_wait(own, _MAX_ATTEMPTS, now),
            _get_wait(self._attempts_of_all, _MAX_ATTEMPTS_OF_ALL, now),
        ]
        if not any(waits):
            own.append(now)
            self._attempts_of_all.append(now)
        return max(waits)

    def check(self, password: str) -> bool:
        """Whether this is the password. It takes the same time for each wrong password."""
        return hmac.compare_digest(self._hash, self._compute_hash(password))

    def open_session(self, address: str) -> str:
        """Return the token of a new session, and forget the attempts of its address."""
        self._attempts.pop(address, None)
        token = secrets.token_urlsafe(32)
        self._sessions[_hash_token(token)] = None
        while len(self._sessions) > _MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return token

    def has_session(self, token: str) -> bool:
        """Whether a token is that of an open session."""
        key = _hash_token(token)
        if key not in self._sessions:
            return False
        self._sessions.move_to_end(key)
        return True

    def close_session(self, token: str) -> None:
        """End a session."""
        self._sessions.pop(_hash_token(token), None)

    def _compute_hash(self, password: str) -> bytes:
        data = password.encode("utf-8", "surrogateescape")
        return hashlib.scrypt(data, salt=self._salt, **_COST)


def _hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _get_wait(attempts: deque[float], limit: int, now: float) -> float:
    while attempts and now - attempts[0] > _SECONDS_OF_ATTEMPTS:
        attempts.popleft()
    return attempts[0] + _SECONDS_OF_ATTEMPTS - now if len(attempts) >= limit else 0.0
