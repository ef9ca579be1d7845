"""Where long work may be stopped. Who runs it says what is to happen there; steps of a sampler are told by progress,
and what lies between them asks here, at least about every second."""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

_asked: ContextVar[Callable[[], None] | None] = ContextVar("asked", default=None)


def may_stop() -> None:
    """Raises what the one who runs this work wants raised to stop it here; else it goes on."""
    ask = _asked.get()
    if ask is not None:
        ask()


@contextlib.contextmanager
def stopped_by(ask: Callable[[], None]) -> Iterator[None]:
    """Within it, and in this thread alone, `ask` is called wherever work may stop; it raises to stop it."""
    token = _asked.set(ask)
    try:
        yield
    finally:
        _asked.reset(token)
