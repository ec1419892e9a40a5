"""A warehouse's tables and models in memory, filled with made-up outings, on a day of one's own."""

import contextlib
import dataclasses
import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from hypothesis import strategies as st

from tracklake import warehouse

Row = dict[str, Any]

# In the order in which a warehouse defines them: by name.
VIEWS = (
    "activity_best_efforts",
    "activity_days",
    "activity_splits_metric",
    "activity_splits_standard",
    "athlete_days",
    "athlete_today",
    "best_efforts_by_distance",
    "current_streak",
    "eddington",
    "gear_distance",
    "heatmap_days",
    "monthly_totals",
    "personal_record_history",
    "personal_records",
    "rolling_totals",
    "run_splits",
    "streaks",
    "weekly_totals",
    "year_over_year",
    "yearly_totals",
)


@dataclass(frozen=True, slots=True)
class Outing:
    """A row of activities, as far as the models read it; start is UTC, without a zone."""

    id: int
    start: dt.datetime
    sport_type: str | None = "Run"
    athlete: str = "me"
    utc_offset_s: float = 0.0
    timezone: str | None = None
    distance: float | None = 5_000.0
    moving_time: float | None = 1_500.0
    elapsed_time: float | None = 1_600.0
    total_elevation_gain: float | None = 20.0
    average_speed: float | None = 3.0
    elev_high: float | None = 60.0
    gear_id: str | None = None
    leg_index: int = 0
    leg_count: int = 0

    @property
    def local(self) -> dt.datetime:
        """What the clock on the wall showed at the start."""
        return self.start + dt.timedelta(seconds=self.utc_offset_s)

    @property
    def day(self) -> dt.date:
        """The local day."""
        return self.local.date()


class Gold:
    """Tables and models of a warehouse, in memory."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"autoinstall_known_extensions": False})
        self.connection.execute("set timezone = 'Pacific/Auckland'")  # must not matter
        for text in warehouse.sql_files("schema").values():
            self.connection.execute(text)
        for name in VIEWS:
            self.connection.execute(warehouse.sql_files("gold")[name])

    def add(self, outings: Sequence[Outing]) -> None:
        """Enter outings, and for each a record that gives it its parts."""
        gives = ["distance/computed", "splits_metric", "splits_standard"]
        records = [{"record_id": -one.id, "activity_id": one.id, "gives": gives} for one in outings]
        rows = []
        for outing in outings:
            row = dataclasses.asdict(outing)
            row["start_date"] = row.pop("start").replace(tzinfo=dt.UTC)
            rows.append(row | {"start_date_local": outing.local})
        self.insert("activities", *rows)
        self.insert("records", *records)

    def insert(self, table: str, *rows: Row) -> None:
        """Enter rows of the same columns, in one statement: one for each would take its time."""
        if rows:
            marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in rows)
            self.connection.execute(
                f"insert into {table} ({', '.join(rows[0])}) values {marks}",  # noqa: S608
                [value for row in rows for value in row.values()],
            )

    def clear(self) -> None:
        """Forget all rows that were entered, and ask the clock again which day it is."""
        for table in ("activities", "records", "gear"):
            self.connection.execute(f"delete from {table}")  # noqa: S608
        for name in ("best_efforts", "splits_metric", "splits_standard"):
            self.connection.execute(f"delete from record_{name}")  # noqa: S608
        self.connection.execute(warehouse.sql_files("gold")["athlete_today"])

    def let_today_be(self, today: dt.date) -> None:
        """Make it that day for everybody, in place of the view that asks the clock."""
        self.connection.execute(
            "create or replace view athlete_today as "  # noqa: S608
            "select distinct athlete, null::varchar as timezone, "
            f"date '{today.isoformat()}' as today from activities"
        )

    def rows(self, query: str, *values: object) -> list[Row]:
        """Run a query."""
        cursor = self.connection.execute(query, list(values))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, found, strict=True)) for found in cursor.fetchall()]


@contextlib.contextmanager
def opened() -> Iterator[Gold]:
    """Give a warehouse of its own, closed in the end."""
    found = Gold()
    try:
        yield found
    finally:
        found.connection.close()


def at(text: str) -> dt.datetime:
    """Return a moment (UTC) from its text."""
    return dt.datetime.fromisoformat(text)


def same(found: list[Row], expected: list[Row], *key: str) -> None:
    """Compare rows by a key, in the columns that are expected; numbers to a part in a billion."""
    by_key = {tuple(row[name] for name in key): row for row in found}
    wanted = {tuple(row[name] for name in key): row for row in expected}
    assert len(by_key) == len(found), "the key is not unique"
    assert len(wanted) == len(expected), "the expected key is not unique"
    assert by_key.keys() == wanted.keys()
    differing = [
        (name, column, by_key[name][column], value)
        for name, row in wanted.items()
        for column, value in row.items()
        if not _alike(by_key[name][column], value)
    ]
    assert not differing  # (key, column, found, expected)


def _alike(found: object, expected: object) -> bool:
    if isinstance(found, int | float) and isinstance(expected, int | float):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)
    return found == expected


# Both around a New Year and around a leap day, so that few outings make streaks and full weeks.
_FIRST_DAYS = (dt.datetime(2023, 12, 18), dt.datetime(2024, 2, 19))  # noqa: DTZ001
_SPORTS = ("Run", "TrailRun", "Run", "Ride", "EBikeRide", "Swim", "Walk", "Yoga", "Newsport", None)
_OFFSETS_S = (0.0, 3_600.0, 20_700.0, -39_600.0, 50_400.0)
_EIGHTHS = st.integers(0, 400_000).map(lambda n: n / 8)  # sums of these are exact


@st.composite
def outings(draw: st.DrawFn, most: int = 30) -> list[Outing]:
    """Draw outings of two athletes, some of them triathlons with their legs."""
    found: list[Outing] = []
    for _ in range(draw(st.integers(1, most))):
        one = Outing(
            id=len(found) + 1,
            start=draw(st.sampled_from(_FIRST_DAYS))
            + dt.timedelta(minutes=draw(st.integers(0, 30 * 1440))),
            sport_type=draw(st.sampled_from(_SPORTS)),
            athlete=draw(st.sampled_from(["me", "me", "you"])),
            utc_offset_s=draw(st.sampled_from(_OFFSETS_S)),
            distance=draw(st.none() | _EIGHTHS),
            moving_time=draw(st.none() | st.integers(0, 9_000).map(float)),
            total_elevation_gain=draw(st.none() | st.integers(0, 900).map(float)),
            average_speed=draw(st.none() | _EIGHTHS),
            elev_high=draw(st.none() | st.integers(-400, 4_000).map(float)),
        )
        found.append(one)
        if draw(st.integers(0, 9)) == 0:
            found[-1:] = _triathlon(one)
    return found


def _triathlon(whole: Outing) -> list[Outing]:
    legs = [
        dataclasses.replace(
            whole,
            id=whole.id + index,
            sport_type=sport,
            leg_index=index,
            start=whole.start + dt.timedelta(hours=index),
            distance=1_000.0 * index,
        )
        for index, sport in enumerate(("Swim", "Ride", "Run"), start=1)
    ]
    return [dataclasses.replace(whole, sport_type="Multisport", leg_count=3), *legs]


TODAYS = st.dates(dt.date(2023, 12, 25), dt.date(2024, 4, 2))
