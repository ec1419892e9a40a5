"""A data folder with an inbox, and what the tests of the `files` source ask of it."""

import datetime as dt
import functools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tracklake import bronze
from tracklake.config import Folders, Settings
from tracklake.formats import fit_writer
from tracklake.intake.landings import PullReport
from tracklake.intake.workers import Limits
from tracklake.model import Points, Recording, Session
from tracklake.session import SyncSession
from tracklake.sources import files
from tracklake.stages import PullOptions
from tracklake.state import State

START_S = 1_714_500_000.0  # 2024-04-30T18:00:00Z


class StillClock:
    """A clock that moves only when something waits, and a microsecond when it is asked."""

    def __init__(self) -> None:
        self.moment = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
        self.slept_s = 0.0

    def now(self) -> dt.datetime:
        """Return the moment."""
        self.moment += dt.timedelta(microseconds=1)
        return self.moment

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept_s += seconds
        self.moment += dt.timedelta(seconds=seconds)


def run(day: float = 0, points: int = 120, name: str | None = None) -> Recording:
    """Make a run of two minutes along a line in the Atlantic, another one for each day."""
    seconds = START_S + 86400.0 * day + np.arange(float(points))
    columns = Points.of(
        points,
        timestamp_s=seconds,
        lat=10 + 3e-5 * np.arange(points),
        lng=np.full(points, -30.0),
        distance_m=3.3 * np.arange(points),
        heartrate_bpm=np.full(points, 140.0),
    )
    sessions = (Session(start_s=float(seconds[0]), sport="running", elapsed_time_s=points - 1.0),)
    return Recording(format="fit", points=columns, sessions=sessions, name=name)


@functools.cache
def fit_bytes(day: float = 0, points: int = 120) -> bytes:
    """Write that run as a FIT file."""
    return fit_writer.encode(run(day, points))


class Inbox:
    """One athlete's data folder; each pull is a session of its own, as in real life."""

    def __init__(self, root: Path) -> None:
        self.clock = StillClock()
        self.folders = Folders(
            data=root / "data", secrets=root / "s", logs=root / "l", inbox=root / "data" / "inbox"
        )
        self.folders.inbox.mkdir(parents=True, exist_ok=True)
        self.settings = Settings(_env_file=None)  # type: ignore[call-arg] # pydantic's own argument

    def put(self, name: str, content: bytes) -> Path:
        """Put a file into the inbox."""
        path = self.folders.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def session(self, athlete: str = "me") -> SyncSession:
        """Begin a session."""
        return SyncSession(
            flow="pull",
            athlete=athlete,
            settings=self.settings,
            folders=self.folders,
            clock=self.clock,
            state=State(self.folders.state),
        )

    def pull(
        self, *paths: Path, limits: Limits | None = None, everything: bool = False
    ) -> PullReport:
        """Pull the inbox, or import the paths."""
        session = self.session()
        try:
            return files.pull(
                session, paths or None, PullOptions(everything=everything), limits=limits
            )
        finally:
            session.state.close()

    def rows(self, entity: str) -> list[dict[str, object]]:
        """Return what was landed of an entity, oldest first."""
        paths = bronze.shard_paths(self.folders.bronze, entity)
        rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
        return sorted(rows, key=lambda row: (row["ingested_at"], row["source_id"]))

    def points(self, stream_key: object) -> pa.Table:
        """Return the points of one landing of an activity."""
        tables = [pq.read_table(path) for path in self.folders.streams.glob("*/*.parquet")]
        return pa.concat_tables(tables).filter(pa.compute.field("stream_key") == stream_key)

    def quarantine(self) -> dict[str, str]:
        """Return the reason of each item set aside, by what a person calls it."""
        state = State(self.folders.state)
        rows = state.execute("select item, reason from quarantine")
        state.close()
        return {str(item): str(reason) for item, reason in rows}

    def leftovers(self) -> list[Path]:
        """Return temporary files that were left."""
        return list(self.folders.bronze.rglob(".landing-*"))


def again(root: str) -> None:
    """Pull an inbox that is there already."""
    Inbox(Path(root)).pull()
