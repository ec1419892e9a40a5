"""Rows of services about the outings of tests/rows.py's files, as their lists tell of them."""

from tests.rows import Row, file_row
from tracklake.identity import record_id

_FIRST_IDS = {
    "strava": 14_000_000_000,
    "garmin": 18_000_000_000,
    "intervals": 95_000_000,
    "smashrun": 60_000_000,
}
_NOT_LISTED = ("file_sha256", "file_format", "laps", "splits_metric", "splits_standard")


def service_id(source: str, number: int) -> int:
    """Return the id of outing `number` at a service."""
    return _FIRST_IDS[source] + number


def service_row(source: str, number: int, athlete: str = "me", **changes: object) -> Row:
    """Return what a service lists of the outing of which file `number` is the recording."""
    own_id = service_id(source, number)
    source_id = f"i{own_id}" if source == "intervals" else str(own_id)
    row = file_row(number, athlete)
    row |= dict.fromkeys((*_NOT_LISTED, "best_efforts"))
    row |= {
        "source": source,
        "source_id": source_id,
        "record_id": record_id(athlete, source, source_id),
        "name": f"{source} {number}",
    }
    if source == "strava":
        row |= {"strava_id": own_id, "kudos_count": 3, "gear_id": "g1", "visibility": "everyone"}
    return {**row, **changes}


def stub_row(number: int, athlete: str = "me", **changes: object) -> Row:
    """Return intervals.icu's word that Strava has an activity, of which it may tell nothing."""
    strava_id = service_id("strava", number)
    full = service_row("intervals", number, athlete)
    row: Row = {
        **dict.fromkeys(full),
        "source": "intervals",
        "athlete": athlete,
        "source_id": str(strava_id),
        "record_id": record_id(athlete, "intervals", str(strava_id)),
        "strava_id": strava_id,
        "is_stub": True,
        "start_s": full["start_s"],
        "point_count": 0,
        "has_track": False,
    }
    return {**row, **changes}


def name_of(row: Row) -> str:
    """Return the name by which decisions call a record."""
    return f"{row['source']}/{row['source_id']}"
