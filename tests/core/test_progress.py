"""Progress reaches the listener of its own context and nobody else."""

from __future__ import annotations

import threading

from mojing.core.progress import listening, report, track


def test_track_reports_every_item() -> None:
    heard: list[tuple[int, int, str]] = []

    def listen(done: int, total: int, *, what: str) -> None:
        heard.append((done, total, what))

    with listening(listen):
        assert list(track("ab", "letters")) == ["a", "b"]
        assert list(track(iter("c"), "more")) == ["c"]
    assert heard == [(0, 2, "letters"), (1, 2, "letters"), (2, 2, "letters"), (0, 0, "more"), (1, 0, "more")]
    report(1, 1, what="unheard")
    assert len(heard) == 5


def test_listeners_do_not_hear_other_threads() -> None:
    heard: list[int] = []

    def listen(done: int, total: int, *, what: str) -> None:
        heard.append(done)

    with listening(listen):
        other = threading.Thread(target=report, args=(1, 1), kwargs={"what": "elsewhere"})
        other.start()
        other.join()
    assert heard == []
