"""A small Strava bulk export of the sample athlete's first months, as the site hands it out."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable
from dataclasses import dataclass

from tracklake.clock import from_unix
from tracklake.formats import fit_writer, gpx_writer
from tracklake.model import Recording, Session
from tracklake.sample.archives import Member, gzipped, zipped
from tracklake.sample.kinds import Kind, Outing
from tracklake.sample.recordings import start_of

# The English header of `activities.csv`: several names come twice, first as the athlete sees the
# number (km, whole seconds), then in SI units.
HEADER_LINE = (
    "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,"
    "Distance,Max Heart Rate,Relative Effort,Commute,Activity Private Note,Activity Gear,Filename,"
    "Athlete Weight,Bike Weight,Elapsed Time,Moving Time,Distance,Max Speed,Average Speed,"
    "Elevation Gain,Elevation Loss,Elevation Low,Elevation High,Max Grade,Average Grade,"
    "Average Positive Grade,Average Negative Grade,Max Cadence,Average Cadence,Max Heart Rate,"
    "Average Heart Rate,Max Watts,Average Watts,Calories,Max Temperature,Average Temperature,"
    "Relative Effort,Total Work,Number of Runs,Uphill Time,Downhill Time,Other Time,"
    "Perceived Exertion,Type,Start Time,Weighted Average Power,Power Count,"
    "Prefer Perceived Exertion,Perceived Relative Effort,Commute,Total Weight Lifted,From Upload,"
    "Grade Adjusted Distance,Weather Observation Time,Weather Condition,Weather Temperature,"
    "Apparent Temperature,Dewpoint,Humidity,Weather Pressure,Wind Speed,Wind Gust,Wind Bearing,"
    "Precipitation Intensity,Sunrise Time,Sunset Time,Moon Phase,Bike,Gear,"
    "Precipitation Probability,Precipitation Type,Cloud Cover,Weather Visibility,UV Index,"
    "Weather Ozone,Jump Count,Total Grit,Average Flow,Flagged,Average Elapsed Speed,Dirt Distance,"
    "Newly Explored Distance,Newly Explored Dirt Distance,Activity Count,Total Steps,Carbon Saved,"
    "Pool Length,Training Load,Intensity,Average Grade Adjusted Pace,Timer Time,Total Cycles,"
    "Recovery,With Pet,Competition,Long Run,For a Cause,Media"
)

# Far beyond the ids that Strava has given to anyone, so that none of them is somebody's.
FIRST_ID = 9_000_000_000_000

TYPES: dict[Kind, str] = {
    "easy": "Run", "intervals": "Run", "long": "Run", "five": "Run", "ten": "Run", "half": "Run",
    "marathon": "Run", "trail": "Trail Run", "treadmill": "Run", "commute": "Ride", "ride": "Ride",
    "gravel": "Gravel Ride", "mountain": "Mountain Bike Ride", "brevet": "Ride", "trainer": "Ride",
    "open_water": "Swim", "pool": "Swim", "hike": "Hike", "walk": "Walk",
    "strength": "Weight Training", "yoga": "Yoga", "manual": "Tennis",
}  # fmt: skip

_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip

_GEAR: dict[Kind, str] = {
    "easy": "Yellow pair", "intervals": "Yellow pair", "long": "Blue pair", "five": "Yellow pair",
    "ten": "Yellow pair", "half": "Blue pair", "marathon": "Blue pair", "trail": "Muddy pair",
    "treadmill": "Yellow pair", "commute": "The mule", "gravel": "The mule",
    "mountain": "Borrowed hardtail", "ride": "Old faithful", "brevet": "Old faithful",
    "trainer": "Old faithful",
}  # fmt: skip

_DESCRIPTIONS: dict[Kind, str] = {
    "half": "Held back until Glòries, then let go.\nSplits to be believed.",
    "marathon": 'The last twelve were "long".',
    "triathlon": "Goggles survived, barely",
    "hike": "Fog, then sun, then soup",
    "gravel": "Two punctures, one tube",
}

_BIKES = (
    ("Bike Name", "Bike Brand", "Bike Model", "Bike Default Sport Types"),
    ("Old faithful", "", "Steel road", "Ride"),
    ("The mule", "", "Gravel", "Ride,Gravel Ride"),
    ("Borrowed hardtail", "", "", "Mountain Bike Ride"),
)
_SHOES = (
    ("Shoe Name", "Shoe Brand", "Shoe Model", "Shoe Default Sport Types"),
    ("Yellow pair", "", "Racer", "Run"),
    ("Blue pair", "", "Cushion", "Run"),
    ("Muddy pair", "", "Trail", "Trail Run"),
)


@dataclass(frozen=True, slots=True)
class Exported:
    """An outing and its recording; None where it was typed in by hand."""

    outing: Outing
    recording: Recording | None


def export_zip(items: Iterable[Exported]) -> bytes:
    """Return the export as a ZIP: activities.csv, bikes.csv, shoes.csv and activities/*."""
    rows: list[list[str]] = [HEADER_LINE.split(",")]
    files: list[Member] = []
    for number, item in enumerate(items):
        name = _file_name(number, item)
        rows.append(_row(number, item, name or ""))
        if name and item.recording:
            files.append((name, _content(name, item.recording)))
    tables = [("activities.csv", _csv(rows)), ("bikes.csv", _csv(_BIKES))]
    return zipped([*tables, ("shoes.csv", _csv(_SHOES)), *files])


def _file_name(number: int, item: Exported) -> str | None:
    if item.recording is None:
        return None
    # The file bears the upload's number, which is not the activity's.
    ending = "gpx" if item.outing.kind in ("walk", "hike") else "fit.gz"
    return f"activities/{FIRST_ID + 700_000 + 3 * number}.{ending}"


def _content(name: str, recording: Recording) -> bytes:
    if name.endswith(".gpx"):
        return gpx_writer.encode(recording)
    return gzipped(fit_writer.encode(recording))


def _row(number: int, item: Exported, file_name: str) -> list[str]:
    outing = item.outing
    started, _ = start_of(outing)
    session = _totals(item, started)
    commuting = outing.kind == "commute"
    row = [""] * (HEADER_LINE.count(",") + 1)
    row[:13] = [
        str(FIRST_ID + 11 * number),
        english_date(from_unix(started)),
        outing.name,
        TYPES[outing.kind],
        _DESCRIPTIONS.get(outing.kind, ""),
        f"{session.elapsed_time_s or 0.0:.0f}",
        f"{(session.distance_m or 0.0) / 1000:.2f}",
        _number(session.max_heartrate_bpm),
        "",
        "true" if commuting else "false",
        "",
        _GEAR.get(outing.kind, ""),
        file_name,
    ]
    row[15:21] = [
        _number(session.elapsed_time_s),
        _number(session.timer_time_s),
        _number(session.distance_m),
        _number(session.max_speed_mps),
        _number(session.average_speed_mps),
        _number(session.total_ascent_m),
    ]
    row[30:32] = [_number(session.max_heartrate_bpm), _number(session.average_heartrate_bpm)]
    row[32:35] = [
        _number(session.max_power_w), _number(session.average_power_w),
        _number(session.calories_kcal),
    ]  # fmt: skip
    row[50] = "1.0" if commuting else "0.0"
    row[52] = "1.0" if file_name else "0.0"
    return row


def _totals(item: Exported, started_s: float) -> Session:
    if item.recording is None:
        seconds = item.outing.amount
        return Session(start_s=started_s, elapsed_time_s=seconds, timer_time_s=seconds)
    return item.recording.sessions[0]


def english_date(moment: dt.datetime) -> str:
    """Return a moment as the export writes it, in UTC: "Mar 5, 2024, 6:12:03 AM"."""
    month = _MONTHS[moment.month - 1]
    half = "AM" if moment.hour < 12 else "PM"
    return (
        f"{month} {moment.day}, {moment.year}, "
        f"{moment.hour % 12 or 12}:{moment.minute:02d}:{moment.second:02d} {half}"
    )


def _number(value: float | None) -> str:
    return "" if value is None else str(float(value))


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode("utf-8")
