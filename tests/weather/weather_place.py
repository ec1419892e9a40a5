"""A data folder and a simulated Open-Meteo, on one clock."""

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import rows
from tests.upstream.clock import MovableClock
from tests.upstream.open_meteo import OpenMeteoUpstream
from tracklake import compaction, config, reading, surroundings
from tracklake.running import FlowReport
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions, WeatherReport
from tracklake.state import State

DAY_S = 86_400


@dataclasses.dataclass(slots=True)
class WeatherPlace:
    """One athlete's data folder."""

    session: SyncSession
    upstream: OpenMeteoUpstream
    _count: int = 0

    @property
    def clock(self) -> MovableClock:
        """Return the clock that both go by."""
        clock = self.upstream.clock
        assert isinstance(clock, MovableClock)
        return clock

    def went_out(self, *days_ago: float, **changes: object) -> None:
        """Land a run of an hour on each of these days, at home unless `changes` say otherwise."""
        made = []
        for ago in days_ago:
            self._count += 1
            start_s = self.clock.now().timestamp() - ago * DAY_S
            values: dict[str, Any] = {"start_s": round(start_s), "elapsed_time": 3600.0, **changes}
            made.append(rows.file_row(self._count, **values))
        rows.land(self.session, *made)
        self.compact()

    def went_out_at(self, days_ago: float, *lats: float) -> None:
        """Land a run of an hour at each of these latitudes."""
        start_s = round(self.clock.now().timestamp() - days_ago * DAY_S)
        rows.land(
            self.session,
            *(
                rows.file_row(1000 + n, start_s=start_s + n, start_lat=lat, elapsed_time=60.0)
                for n, lat in enumerate(lats)
            ),
        )
        self.compact()

    def compact(self, **options: bool) -> None:
        """Take what landed into gold."""
        compaction.compact(self.session, **options)

    def enrich(self, **options: Any) -> WeatherReport:
        """Run `tracklake enrich --only weather`."""
        report = FlowReport()
        wanted = EnrichOptions(**{"only": ("weather",), **options})
        if surroundings.enrich(self.session, report, wanted):
            self.compact()
        assert report.weather is not None
        return report.weather

    def asked(self, path: str = "/archive") -> int:
        """Count the calls to a service."""
        return len([call for call in self.upstream.calls if call.path == path])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the snapshot."""
        with reading.snapshot(self.session.folders) as connection:
            return connection.execute(sql).fetchall()

    def statuses(self) -> list[tuple[str, str | None]]:
        """Return the weather's status of each activity, oldest first."""
        return self.query(
            "select s.weather, s.weather_reason from enrichment_status as s "
            "inner join activities as a on a.id = s.activity_id order by a.start_date"
        )

    def aside(self) -> list[str]:
        """Return why things are set aside."""
        found = self.session.state.execute("select reason from quarantine order by item")
        return [str(reason) for (reason,) in found]

    def as_the_service_says(self) -> None:
        """Assert that each hour in gold is what the simulator says of it, in a cell of its own."""
        from tests.upstream.open_meteo import truth
        from tracklake.weather.bundles import columns

        with reading.snapshot(self.session.folders) as connection:
            cursor = connection.execute("from weather_hours")
            names = [column[0] for column in cursor.description or []]
            found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        assert found
        for row in found:
            told = truth(
                row["service"],
                row["cell_lat"],
                row["cell_lng"],
                round(row["hour_utc"].timestamp()),
            )
            for name, column in columns(row["service"]).items():
                assert row[column] == told[name], (row["service"], column)


@contextlib.contextmanager
def opened(folder: Path, *, now: dt.datetime | None = None) -> Iterator[WeatherPlace]:
    """Start a simulator and give it a place."""
    clock = MovableClock(tick_s=0.001) if now is None else MovableClock(now, tick_s=0.001)
    with OpenMeteoUpstream(clock=clock) as upstream:
        yield place_at(folder, upstream)


def place_at(folder: Path, upstream: OpenMeteoUpstream, **given: object) -> WeatherPlace:
    """Return a place at a simulator; `given` are settings."""
    settings, folders = config.load(
        data_dir=folder / "data",
        logs_dir=folder / "logs",
        secrets_dir=folder / "secrets",
        **upstream.settings(),
        **given,
    )
    state = State(folders.state)
    rows.OPENED.append(state)
    session = SyncSession(
        flow="test",
        athlete="me",
        settings=settings,
        folders=folders,
        clock=upstream.clock,
        state=state,
    )
    return WeatherPlace(session, upstream)
