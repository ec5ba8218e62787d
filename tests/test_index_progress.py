"""Waiting for the index of a Milvus server, with the counts that servers report."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from imagesearch.errors import UserError
from imagesearch.store import index_progress
from imagesearch.store.index_progress import iterate_indexed

FINISHED = {"state": "Finished", "indexed_rows": 100, "pending_index_rows": 0}


class Server:
    """Answers with one state of the index after another, and then always with the last."""

    def __init__(self, *states: dict) -> None:
        self.states, self.calls = states, 0

    def describe_index(self, name: str, field: str) -> dict:
        assert (name, field) == ("album", "embedding")
        state = self.states[min(self.calls, len(self.states) - 1)]
        self.calls += 1
        return state


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time passes only while the program waits."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(index_progress.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(
        index_progress.time, "sleep", lambda seconds: setattr(clock, "now", clock.now + seconds)
    )
    return clock


def wait(server: Server) -> list[int]:
    return list(iterate_indexed(server, "album", 100, "http://milvus:19530"))


def count(indexed: int, pending: int) -> dict:
    return {"state": "InProgress", "indexed_rows": indexed, "pending_index_rows": pending}


def test_each_row_is_counted_once_until_none_is_pending(clock: SimpleNamespace) -> None:
    server = Server(count(0, 100), count(40, 60), count(30, 70), FINISHED)
    rows = iterate_indexed(server, "album", 100, "http://milvus:19530")
    assert [next(rows) for _ in range(40)] == list(range(40))
    assert clock.now == 0.5
    assert list(rows) == list(range(40, 100)) and server.calls == 4


def test_a_server_without_counts_is_not_waited_for() -> None:
    assert wait(Server({"state": "Finished"})) == list(range(100))


def test_rows_that_stay_pending_when_the_index_has_all_are_not_waited_for(clock: SimpleNamespace) -> None:
    assert wait(Server(count(50, 130), count(100, 60))) == list(range(100))
    assert 30 <= clock.now <= 32


def test_an_index_that_still_changes_or_lacks_rows_is_waited_for(clock: SimpleNamespace) -> None:
    changing = [count(150, 100 - number) for number in range(100) for _ in range(40)]  # each for 20 s
    assert wait(Server(*changing, FINISHED)) == list(range(100))
    assert clock.now == 2000
    clock.now = 0
    assert wait(Server(*[count(99, 10)] * 1000, FINISHED)) == list(range(100))
    assert clock.now == 500


def test_an_index_that_cannot_be_built_is_an_error() -> None:
    with pytest.raises(UserError, match="http://milvus:19530: the index of album cannot be built"):
        wait(Server(count(10, 90), {"state": "Failed"}))
