"""What became of each file that was to go to Strava; in the state database.

Each state is on disk before the call that it guards:

pending     to go
uploading   sent, or about to be; whether it came is found out by looking, never by sending again
processing  Strava has it and works on it (upload_id)
done        an activity (activity_id)
duplicate   Strava had one already (activity_id)
there       not sent: Strava has, or had, the same activity (activity_id)
failed      Strava does not want the file (message); tried again only when asked to
"""

from dataclasses import dataclass
from typing import cast

from tracklake.session import SyncSession
from tracklake.uploads.candidates import File, Past, State

_NAMES = (
    *("file_sha256", "state", "external_id", "start_s", "elapsed_s", "posts", "posted_s"),
    *("upload_id", "activity_id", "message"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file in the ledger. posts: how often it was sent; posted_s: when last, UNIX seconds."""

    file_sha256: str
    state: State
    external_id: str
    start_s: float
    elapsed_s: float
    posts: int
    posted_s: float | None
    upload_id: str | None
    activity_id: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """One athlete's uploads."""

    session: SyncSession

    def known(self) -> dict[str, Past]:
        """Return what is known of each file, by its hash."""
        rows = self.session.state.execute(
            "select file_sha256, state, activity_id from uploads where athlete = ?",
            (self.session.athlete,),
        )
        return {
            str(sha256): Past(cast(State, state), None if of is None else str(of))
            for sha256, state, of in rows
        }

    def in_state(self, *states: State) -> list[Entry]:
        """List the files in one of these states, oldest first."""
        marks = ", ".join("?" * len(states))
        rows = self.session.state.execute(
            f"select {', '.join(_NAMES)} from uploads where athlete = ? "  # noqa: S608 our own names
            f"and state in ({marks}) order by start_s, file_sha256",
            (self.session.athlete, *states),
        )
        return [Entry(**dict(zip(_NAMES, row, strict=True))) for row in rows]  # type: ignore[arg-type] # as the table has it

    def enter(self, file: File, state: State, *, activity_id: str | None = None) -> None:
        """Enter a file, or put one that is known into another state."""
        self.session.state.execute(
            "insert into uploads (athlete, file_sha256, state, external_id, source, source_id, "
            "start_s, elapsed_s, activity_id, changed_at, session_id) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "on conflict (athlete, file_sha256) do update set state = excluded.state, "
            "activity_id = excluded.activity_id, message = null, changed_at = excluded.changed_at, "
            "session_id = excluded.session_id, "
            "posts = case when uploads.state = 'failed' then 0 else posts end",
            (
                *(self.session.athlete, file.file_sha256, state, file.external_id),
                *(file.source, file.source_id, file.start_s, file.elapsed_s, activity_id),
                self.session.now_text(),
                self.session.session_id,
            ),
        )

    def sending(self, file_sha256: str) -> None:
        """Note that a file is about to be sent."""
        self.session.state.execute(
            "update uploads set state = 'uploading', posts = posts + 1, posted_s = ?, "
            "upload_id = null, changed_at = ?, session_id = ? "
            "where athlete = ? and file_sha256 = ?",
            (
                *(self.session.clock.now().timestamp(), self.session.now_text()),
                *(self.session.session_id, self.session.athlete, file_sha256),
            ),
        )

    def turned_away(self, file_sha256: str) -> None:
        """Note that the file that was being sent was surely not taken: it is still to go."""
        self.session.state.execute(
            "update uploads set state = 'pending', posts = posts - 1, changed_at = ? "
            "where athlete = ? and file_sha256 = ?",
            (self.session.now_text(), self.session.athlete, file_sha256),
        )

    def move(
        self,
        file_sha256: str,
        state: State,
        *,
        upload_id: str | None = None,
        activity_id: str | None = None,
        message: str | None = None,
    ) -> None:
        """Put a file that is known into another state; an upload's id stays known."""
        self.session.state.execute(
            "update uploads set state = ?, upload_id = coalesce(?, upload_id), activity_id = ?, "
            "message = ?, changed_at = ? where athlete = ? and file_sha256 = ?",
            (
                *(state, upload_id, activity_id, message, self.session.now_text()),
                *(self.session.athlete, file_sha256),
            ),
        )
