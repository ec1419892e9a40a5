"""Who looks on while a session is at work."""

from typing import Protocol


class Watcher(Protocol):
    """Whoever shows progress to a person."""

    def begin(self, phase: str, total: int | None) -> None:
        """A phase starts; `total` items are expected, or it is not known how many."""

    def advance(self, phase: str, processed: int, total: int | None) -> None:
        """So many items are done."""

    def note(self, phase: str, detail: str) -> None:
        """A phase says what it is doing."""

    def end(self, phase: str, detail: str) -> None:
        """A phase is done; `detail` says in a few words what came of it."""


class NobodyWatches:
    """No progress shown."""

    def begin(self, phase: str, total: int | None) -> None:
        """Show nothing."""

    def advance(self, phase: str, processed: int, total: int | None) -> None:
        """Show nothing."""

    def note(self, phase: str, detail: str) -> None:
        """Show nothing."""

    def end(self, phase: str, detail: str) -> None:
        """Show nothing."""
