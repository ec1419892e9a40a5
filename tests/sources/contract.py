"""What a source's tests stand on: one data folder of one athlete at one simulated service.

Each source over HTTP gives a `SourcePlace` of its own: how its simulator is edited. What holds for
all of them is in test_contract.py.
"""

import abc
import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq

from tests.upstream.calls import Call
from tests.upstream.clock import MovableClock
from tests.upstream.server import Upstream
from tracklake import bronze, compaction, config, reading
from tracklake.compaction import CompactReport
from tracklake.config import Folders, Settings
from tracklake.session import SyncSession
from tracklake.stages import ListReport, PullOptions
from tracklake.state import State


class SourcePlace(abc.ABC):
    """A place to try one source in.

    source: its module. reconcile_days: after so many days at most a pull reads everything, and
    finds late uploads, edits of old activities and deletions. page_calls: how many calls a stop at
    any point may cost again. name_column: where the name of `upload` and `edit` comes to lie.
    is_service: it is asked over HTTP, and tells of edits and deletions.
    """

    source: ModuleType
    reconcile_days: float = 8.0
    page_calls: int = 1
    name_column: str = "name"
    is_service: bool = True

    def __init__(self, folder: Path, upstream: Upstream, athlete: str = "me") -> None:
        self.folder = folder
        self.upstream = upstream
        self.athlete = athlete

    # ---- what each source has of its own

    @abc.abstractmethod
    def settings_given(self) -> dict[str, object]:
        """Return the settings that lead to the simulator, ready for JSON."""

    @abc.abstractmethod
    def upload(self, start: dt.datetime | None = None, name: str = "") -> str:
        """Let an activity appear (start: now), with an original where there are any; return its id
        as `rows` has it.
        """

    @abc.abstractmethod
    def edit(self, source_id: str, name: str) -> None:
        """Give an activity another name."""

    @abc.abstractmethod
    def delete(self, source_id: str) -> None:
        """Let an activity disappear."""

    @abc.abstractmethod
    def spoil(self) -> str:
        """Let a record appear that can never be read (no start, say); return its id."""

    @abc.abstractmethod
    def mend(self, source_id: str) -> None:
        """Let a record that could not be read be whole."""

    @abc.abstractmethod
    def drift(self) -> None:
        """From now on each record has a field nobody knows, lacks an optional one, and says a
        number as text.
        """

    @abc.abstractmethod
    def exhaust_quota(self) -> float:
        """Have others use up the quota; return after how many seconds there is some again."""

    @abc.abstractmethod
    def is_original(self, call: Call) -> bool:
        """Tell a call that fetches what one activity holds (a file, points, details)."""

    # ---- what all have

    @property
    def clock(self) -> MovableClock:
        """Return the clock that the simulator and the client share."""
        clock = self.upstream.clock
        assert isinstance(clock, MovableClock)
        return clock

    def advance(self, *, days: float = 0.0, hours: float = 0.0, seconds: float = 0.0) -> None:
        """Let time pass."""
        self.clock.advance(days * 86_400.0 + hours * 3_600.0 + seconds)

    def given(self) -> dict[str, object]:
        """Return all settings of this place, ready for JSON: another process may load it."""
        return {
            "data_dir": str(self.folder / "data"),
            "logs_dir": str(self.folder / "logs"),
            "secrets_dir": str(self.folder / "secrets"),
            "athlete": self.athlete,
            **self.settings_given(),
        }

    def load(self) -> tuple[Settings, Folders]:
        """Return settings and folders as the commands get them."""
        return config.load(**self.given())

    @property
    def folders(self) -> Folders:
        """Return where things lie."""
        return self.load()[1]

    @contextlib.contextmanager
    def session(self) -> Iterator[SyncSession]:
        """Open a session of its own, as a command does, without lock and signals."""
        settings, folders = self.load()
        with contextlib.closing(State(folders.state)) as state:
            yield SyncSession(
                flow="test",
                athlete=self.athlete,
                settings=settings,
                folders=folders,
                clock=self.clock,
                state=state,
            )

    def pull(self, **options: Any) -> ListReport:
        """Pull once; `options` are those of PullOptions."""
        with self.session() as session:
            report: ListReport = self.source.pull(session, options=PullOptions(**options))
            return report

    def pull_all(self, most: int = 400, **options: Any) -> int:
        """Pull until nothing is parked; return how many pulls it took."""
        for count in range(1, most + 1):
            parked = self.pull(**options).parked
            if parked is None:
                return count
            if parked.until > self.clock.now():
                self.clock.move_to(parked.until + dt.timedelta(seconds=1))
        raise AssertionError(f"still parked after {most} pulls")

    def compact(self) -> CompactReport:
        """Bring gold up to date, which checks it."""
        with self.session() as session:
            return compaction.compact(session)

    def query(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Ask the published warehouse; a row is a dict."""
        with reading.snapshot(self.folders) as connection:
            cursor = connection.execute(sql, list(values))
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def state(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the state database."""
        with contextlib.closing(State(self.folders.state)) as state:
            return state.execute(sql, values)

    def quarantined(self) -> list[str]:
        """Return the reasons of what is set aside."""
        rows = self.state("select reason from quarantine where athlete = ?", self.athlete)
        return [str(reason) for (reason,) in rows]

    # ---- what came of it

    def shard_rows(self, entity: str) -> list[dict[str, Any]]:
        """Return the athlete's rows of one entity as they lie in bronze, oldest shard first."""
        rows: list[dict[str, Any]] = []
        for path in bronze.shard_paths(self.folders.bronze, entity):
            if f"athlete={self.athlete}" in path.parts:
                rows += pq.read_table(path, partitioning=None).to_pylist()
        return rows

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the newest row of each activity in bronze that was not found gone after it."""
        newest: dict[str, dict[str, Any]] = {}
        for row in sorted(self.shard_rows("activities"), key=lambda row: row["ingested_at"]):
            newest[row["source_id"]] = row
        for row in self.shard_rows("activity_tombstones"):
            known = newest.get(row["source_id"])
            if known is not None and known["ingested_at"] < row["ingested_at"]:
                del newest[row["source_id"]]
        return newest

    def contents(self) -> dict[str, list[str]]:
        """Return what was landed, by entity, whatever runs it came in: hashes of rows, in order."""
        entities = ("activities", "activity_details", "activity_streams", "original_files")
        return {
            entity: sorted({row["source_id"] + row["content_hash"] for row in found})
            for entity in entities
            if (found := self.shard_rows(entity))
        }

    def bronze_files(self) -> dict[str, bytes]:
        """Return every file of bronze by its name below it."""
        root = self.folders.bronze
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def calls(self, since: int = 0) -> list[Call]:
        """Return the calls that were answered well, after number `since`."""
        return [
            call
            for call in self.upstream.calls
            if call.number > since and call.method == "GET" and call.status in (200, 404, 422)
        ]
