"""Records for tests of matching, and what draws them."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tracklake.identity import record_id
from tracklake.matching import Decision, Grouping, Record, links

DAY_S = 86_400.0
MORNING_S = 20_000 * DAY_S + 7.1 * 3_600


def told(source: str, source_id: str = "1", **what: Any) -> Record:
    """Return a run of an hour and 10 km, in the morning, as a source tells it."""
    keys = {name: what.pop(name, None) for name in ("external_id", "strava_id", "file_sha256")}
    usual: dict[str, Any] = {
        "first_ingested_s": 1.0,
        "start_s": MORNING_S,
        "elapsed_s": 3_600.0,
        "moving_s": 3_500.0,
        "distance_m": 10_000.0,
        "sport_type": "Run",
        "utc_offset_s": 3_600.0,
        "links": links(source=source, source_id=source_id, **keys),
    }
    return Record(
        record_id=record_id("me", source, source_id),
        source=source,
        source_id=source_id,
        **(usual | what),
    )


def groups(grouping: Grouping) -> set[frozenset[int]]:
    """Return who is together."""
    found: dict[int, set[int]] = {}
    for number, assignment in grouping.assignments.items():
        found.setdefault(assignment.founder, set()).add(number)
    return {frozenset(group) for group in found.values()}


def together(grouping: Grouping, *records: Record) -> bool:
    """Tell whether these are one activity."""
    return len({grouping.assignments[one.record_id].founder for one in records}) == 1


_starts = st.sampled_from([0, 60, 200, 700, 1_800, 3_600, 7_200, 36_000, 90_000, 200_000])
_LINE = ((2.0, 41.0), (2.05, 41.02), (2.1, 41.0))


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Draw some records that are near enough to be confounded, each of a source and id once."""
    some = draw(st.lists(_record(), max_size=12))
    return list({record.record_id: record for record in some}.values())


@st.composite
def _record(draw: st.DrawFn) -> Record:
    number = draw(st.integers(1, 3))
    source = draw(st.sampled_from(["strava", "garmin", "intervals", "smashrun", "files"]))
    line = draw(st.sampled_from([(), _LINE, _LINE[::-1]]))
    made = told(
        source,
        str(number),
        start_s=draw(st.one_of(st.none(), _starts.map(lambda s: MORNING_S + s))),
        elapsed_s=draw(st.sampled_from([None, 1_800.0, 3_400.0, 3_600.0])),
        moving_s=draw(st.sampled_from([None, 1_800.0, 3_400.0])),
        distance_m=draw(st.sampled_from([None, 0.0, 5_000.0, 9_900.0, 10_000.0])),
        sport_type=draw(st.sampled_from(["Run", "Walk", "Ride", "Workout", None])),
        first_ingested_s=draw(st.sampled_from([1.0, 2.0, 3.0])),
        external_id=draw(st.sampled_from([None, "100001", "garmin_push_100002", "x.fit"])),
        strava_id=draw(st.sampled_from([None, None, 1, 2])),
        file_sha256=draw(st.sampled_from([None, None, "ab" * 32])),
        start_hidden=draw(st.booleans()) and draw(st.booleans()),
        zone_known=draw(st.booleans()),
        line=line,
        start=line[0] if line else None,
        leg_index=draw(st.sampled_from([0, 0, 0, 1, 2])),
        has_legs=False,
    )
    if made.leg_index == 0 and draw(st.integers(0, 9)) == 0:
        return replace(made, has_legs=True)
    return replace(made, is_stub=draw(st.integers(0, 9)) == 0)


@st.composite
def decisions(draw: st.DrawFn) -> list[Decision]:
    """Draw what the athlete decided of such records."""
    name = st.builds(
        "{}/{}".format, st.sampled_from(["strava", "garmin", "files"]), st.integers(1, 3)
    )
    one = st.builds(
        Decision, st.sampled_from(["merge", "split"]), name, name, st.sampled_from([1.0, 2.0, 3.0])
    )
    return draw(st.lists(one, max_size=4))
