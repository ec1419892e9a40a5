"""What a pull sets aside, and what it releases because it is understood now."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tracklake import code_versions, quarantine
from tracklake.errors import InvalidData
from tracklake.identity import bytes_hash
from tracklake.intake import index
from tracklake.intake.looking import Looked
from tracklake.intake.rows import SOURCE
from tracklake.session import SyncSession


@dataclass(slots=True)
class Aside:
    """An athlete's files in the quarantine. items: what a person calls each, by its id."""

    session: SyncSession
    items: dict[str, str] = field(default_factory=dict)
    _named: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for item_id, item in quarantine.entered(self.session, SOURCE).items():
            self._enter(item_id, item)

    def _enter(self, item_id: str, item: str) -> None:
        self.items[item_id] = item
        self._named.setdefault(item, set()).add(item_id)

    def is_set_aside(self, shown: str) -> bool:
        """Tell whether a file as such is set aside, one whose bytes are not kept in bronze."""
        return unread_id(shown) in self.items

    def forget(self, looked: Looked) -> None:
        """Release what was wrong with a content and, understood, with what bore its name before."""
        shown = looked.job.shown
        past = {unread_id(shown), looked.file_sha256}
        if not looked.job.again:
            past |= self._named.get(shown, set())
        past &= self.items.keys()
        if not past:
            return
        if looked.outcome == "known" and not index.is_understood(self.session, looked.file_sha256):
            past &= {unread_id(shown)}
        for item_id in past:
            self._release(item_id)

    def _release(self, item_id: str) -> None:
        quarantine.release(self.session.state, item_id, self.session.athlete)

    def readable(self, listed: Iterable[str]) -> None:
        """Release the folders that could not be read and in which files are listed now."""
        folders = {f"{item}/": one for one, item in self.items.items() if one == unread_id(item)}
        if folders:
            beginnings = tuple(folders)
            found = [shown for shown in listed if shown.startswith(beginnings)]
            for beginning, item_id in folders.items():
                if any(shown.startswith(beginning) for shown in found):
                    self._release(item_id)

    def forgive(self, shown: str, still: Iterable[str]) -> None:
        """Release what was wrong with an archive or a table and within, except what still is or is
        yet to be looked at.
        """
        within = (f"{shown}!", f"{shown} line ")
        kept = set(still)
        for item_id, item in self.items.items():
            mine = item == shown or item.startswith(within)
            if mine and item_id == unread_id(item) and item not in kept:
                self._release(item_id)

    def refuse(self, looked: Looked) -> None:
        """Enter a file that could not be understood, with where its bytes are kept."""
        shown, again = looked.job.shown, looked.job.again
        error = InvalidData(str(looked.message), reason=str(looked.reason))
        item_id = looked.file_sha256 or unread_id(shown)
        self.set_aside(shown, error, item_id, again.location if again else looked.location)

    def set_aside(
        self, shown: str, error: InvalidData, item_id: str | None = None, kept_at: str | None = None
    ) -> None:
        """Enter something in the quarantine."""
        item = quarantine.Item(
            item_id=item_id or unread_id(shown),
            source=SOURCE,
            item=shown,
            reason=error.reason,
            message=str(error),
            location=kept_at,
            read_as=code_versions.FILES,
        )
        quarantine.set_aside(self.session, item)
        self._enter(item.item_id, shown)


def unread_id(shown: str) -> str:
    """Return the quarantine's id of something whose bytes could not be read: from its name."""
    return bytes_hash(f"unread\x1f{shown}".encode())
