"""A small lake for tests of places: activities landed, looked up, compacted, asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from tests.rows import Row, file_row, land, make_session
from tracklake import compaction, reading, surroundings
from tracklake.clock import Clock
from tracklake.running import FlowReport
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions, PlacesReport

ONLY = EnrichOptions(only=("places",))


class Lake:
    """A lake in a folder of its own."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.session: SyncSession = make_session(folder, clock)

    def set(self, **settings: object) -> None:
        """Change settings."""
        self.session.settings = self.session.settings.model_copy(update=settings)

    def land(self, *rows: Row) -> None:
        """Take activities in, up to gold."""
        land(self.session, *rows)
        self.compact()

    def compact(self, **options: bool) -> None:
        """Bring gold up to date."""
        compaction.compact(self.session, **options)

    def enrich(self, options: EnrichOptions = ONLY) -> PlacesReport | None:
        """Look up what is missing, and take it into gold."""
        report = FlowReport()
        if surroundings.enrich(self.session, report, options):
            self.compact()
        return report.places

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query to the snapshot."""
        with self.snapshot() as connection:
            return connection.execute(query).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the snapshot."""
        with reading.snapshot(self.session.folders) as connection:
            yield connection


def run(
    number: int,
    start: tuple[float, float] | None,
    end: tuple[float, float] | None = None,
    **changes: object,
) -> Row:
    """Return an activity from one position to another (or back to where it began)."""
    start_lat, start_lng = start or (None, None)
    end_lat, end_lng = end or start or (None, None)
    positions = {
        "start_lat": start_lat,
        "start_lng": start_lng,
        "end_lat": end_lat,
        "end_lng": end_lng,
    }
    return file_row(number) | positions | changes
