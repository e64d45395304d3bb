"""One progress protocol: long work reports to whoever listens, and to nobody by default.

A library function writes `for item in track(items, "people"): ...`; the command line listens with
`with listening(bar): ...`. The listener is context-local, so two threads do not report into each other's bar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

_T = TypeVar("_T")


class Listener(Protocol):
    """Is told how many of `total` items are done (`total` is 0 when unknown) and what the items are."""

    def __call__(self, done: int, total: int, *, what: str) -> None: ...


def silent(done: int, total: int, *, what: str) -> None:
    """Listen to nothing: the default."""


_listener: ContextVar[Listener] = ContextVar("mojing_progress", default=silent)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send all progress inside the block to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report(done: int, total: int, *, what: str) -> None:
    """Tell the current listener where the work stands."""
    _listener.get()(done, total, what=what)


def track(items: Iterable[_T], what: str, *, total: int | None = None) -> Iterator[_T]:
    """Yield the items, reporting after each one; `total` is taken from `len(items)` where it has one."""
    if total is None:
        total = len(items) if isinstance(items, Sized) else 0
    report(0, total, what=what)
    for done, item in enumerate(items, start=1):
        yield item
        report(done, total, what=what)
