"""Waiting that a signal ends at once, without handlers that take locks."""

import contextlib
import os
import select
import signal
from collections.abc import Iterator, Sequence

_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Waking:
    """Whether we were asked to stop, and waiting until then, for output, or for a while."""

    def __init__(self, bell: int) -> None:
        self.stopped_by: signal.Signals | None = None
        self._bell = bell  # Python writes a byte there when a signal comes

    def note(self, number: int, _frame: object) -> None:
        """Note a signal that asks us to stop."""
        self.stopped_by = signal.Signals(number)

    def wait(self, outputs: Sequence[int], longest_s: float) -> None:
        """Wait until something came from an output, a signal came, or the time is up."""
        if self.stopped_by is None:
            ready, _, _ = select.select([self._bell, *outputs], [], [], longest_s)
            if self._bell in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._bell, 4096)


@contextlib.contextmanager
def waking() -> Iterator[Waking]:
    """Answer signals until the block ends; in the main thread only."""
    bell, clapper = os.pipe()
    os.set_blocking(bell, False)
    os.set_blocking(clapper, False)
    wake = Waking(bell)
    before = {number: signal.getsignal(number) for number in (*_STOPS, signal.SIGCHLD)}
    old_clapper = signal.set_wakeup_fd(clapper, warn_on_full_buffer=False)
    for number in _STOPS:
        signal.signal(number, wake.note)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # it only has to ring
    try:
        yield wake
    finally:
        signal.set_wakeup_fd(old_clapper)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(bell)
        os.close(clapper)
