"""An activity of Strava's list as a row of bronze: strict about two fields, lenient otherwise."""

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.test_json_text import JSON
from tests.upstream.activities import TEMPLATES
from tracklake import shards
from tracklake.errors import InvalidData
from tracklake.json_reader import Reader, sound
from tracklake.strava import records
from tracklake.upstream.listed import content_hash_of

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
SUMMARY: dict[str, Any] = TEMPLATES["summary"] | {"device_name": "Watch"}
FIELDS = sorted(SUMMARY)


def row(**changes: Any) -> dict[str, Any]:
    """Return the row of the recorded activity with some fields changed."""
    return records.listed(SUMMARY | changes, "me").row


def test_the_recorded_activity() -> None:
    """A recorded activity arrives field by field, with its zone, offset and hashes."""
    found = row()
    assert found["source_id"] == "16181809559"
    assert found["strava_id"] == 16_181_809_559
    assert found["start_s"] == dt.datetime(2025, 10, 18, 12, 49, 52, tzinfo=dt.UTC).timestamp()
    assert found["timezone"] == "America/New_York"
    assert found["utc_offset_s"] == -14_400.0
    assert found["distance"] == 22_601.3
    assert found["photo_count"] == 4
    assert (found["trainer"], found["commute"], found["manual"]) == (False, False, False)
    assert (found["start_lat"], found["end_lng"]) == (None, None)  # (0, 0) is nowhere
    assert found["problems"] == []


@given(
    changes=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8),
    removed=st.lists(st.sampled_from(FIELDS), max_size=4),
)
def test_whatever_the_fields_are(changes: dict[str, Any], removed: list[str]) -> None:
    """Any JSON in any field gives a row that a shard takes, or InvalidData for id or start."""
    item = {name: value for name, value in (SUMMARY | changes).items() if name not in removed}
    try:
        found = records.listed(item, "me")
    except InvalidData as error:
        assert error.reason in ("no_id", "no_start")  # noqa: PT017 both ends are right
        assert {"id", "start_date"} & (changes.keys() | set(removed))
        return
    table = shards.table("activities", [found.row], NOW)
    assert table.num_rows == 1
    assert math.isfinite(found.start_s)
    assert abs(float(str(found.row["utc_offset_s"]))) <= 26 * 3600


def test_the_order_of_fields_says_nothing() -> None:
    """The same fields in another order are the same activity, to every hash."""
    turned = dict(reversed(SUMMARY.items()))
    assert records.listed(turned, "me") == records.listed(SUMMARY, "me")


@pytest.mark.parametrize(
    ("name", "value", "changed"),
    [
        ("kudos_count", 99, {"content_hash"}),
        ("comment_count", 99, {"content_hash"}),
        ("athlete_count", 9, {"content_hash"}),
        ("has_kudoed", True, {"content_hash"}),
        ("total_photo_count", 9, {"content_hash"}),
        ("name", "Other", {"content_hash", "facts_hash"}),
        ("gear_id", "g1", {"content_hash", "facts_hash"}),
        ("mood", "fine", {"content_hash", "facts_hash"}),
        ("distance", 1.0, {"content_hash", "facts_hash", "track_hash"}),
        ("start_date", "2025-10-18T12:49:53Z", {"content_hash", "facts_hash", "track_hash"}),
        ("upload_id", 5, {"content_hash", "facts_hash", "track_hash"}),
        ("map", {"summary_polyline": "_p~iF~ps|U"}, {"content_hash", "facts_hash", "track_hash"}),
    ],
)
def test_what_a_change_means(name: str, value: Any, changed: set[str]) -> None:
    """Kudos land anew and fetch nothing; words fetch details; a crop fetches the points too."""
    before, after = row(), row(**{name: value})
    hashes = ("content_hash", "facts_hash", "track_hash")
    assert {one for one in hashes if before[one] != after[one]} == changed


def test_a_manual_activity_has_no_points() -> None:
    """An activity that was entered by hand has no points to be asked for."""
    assert row(manual=True)["track_hash"] == ""
    assert row(manual="true")["track_hash"] == ""


@pytest.mark.parametrize(
    ("changes", "hidden"),
    [
        ({}, False),
        ({"start_date_local": "2024-07-02T00:00:01Z"}, True),
        ({"start_date": "2024-07-02T00:00:01Z"}, True),
    ],
)
def test_a_hidden_start(changes: dict[str, Any], hidden: bool) -> None:
    """A start at midnight and one second is one that the athlete hides."""
    assert row(**changes)["start_hidden"] is hidden


@pytest.mark.parametrize(
    ("changes", "offset_s"),
    [
        ({}, -14_400.0),
        ({"start_date_local": None}, -14_400.0),
        ({"start_date_local": None, "utc_offset": "19800"}, 19_800.0),
        ({"start_date_local": None, "utc_offset": None}, 0.0),
        ({"start_date_local": "1900-01-01T00:00:00Z", "utc_offset": 3_600}, 3_600.0),
        ({"start_date_local": "1900-01-01T00:00:00Z", "utc_offset": 1e300}, 0.0),
        ({"start_date_local": "2025-10-19T02:49:52Z", "utc_offset": 0}, 50_400.0),
    ],
)
def test_offsets(changes: dict[str, Any], offset_s: float) -> None:
    """Local time wins, then the offset that is told; what no clock on Earth shows is neither."""
    assert row(**changes)["utc_offset_s"] == offset_s


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("(GMT+01:00) Europe/Madrid", "Europe/Madrid"),
        ("Europe/Madrid", "Europe/Madrid"),
        ("(GMT-03:00) America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("", None),
        (None, None),
        (7, None),
        ("(GMT+01:00)", None),
    ],
)
def test_zones(text: Any, zone: str | None) -> None:
    """The zone stands behind the winter's offset; what is none is left out."""
    assert row(timezone=text)["timezone"] == zone


@pytest.mark.parametrize("value", [0, -5, None, "", "x", 2**63, 1.5, [], {}, False])
def test_ids_that_are_none(value: Any) -> None:
    """Nothing that is no positive whole number of 63 bits is an id."""
    with pytest.raises(InvalidData, match="without an id"):
        row(id=value)


@pytest.mark.parametrize("value", [14_000_007_919, "14000007919", 14_000_007_919.0])
def test_ids_in_other_words(value: Any) -> None:
    """An id as text or with a decimal point is the same id."""
    assert row(id=value)["source_id"] == "14000007919"


# ---- single values


@given(JSON)
def test_sound_values_are_sound(value: Any) -> None:
    """What is made sound has no NUL, no lone surrogate, no NaN, and is made sound only once."""
    found = sound(value)
    assert sound(found) == found
    text = repr(found)
    assert "\\x00" not in text
    assert "\\ud8" not in text.replace("\\\\", "")
    content_hash_of({"value": value})


@given(JSON)
def test_sound_values_stay_as_they_are(value: Any) -> None:
    """What needs no mending is not touched."""
    assume("\\" not in repr(value))
    assume("nan" not in repr(value))
    assume("inf" not in repr(value))
    assert repr(sound(value)) == repr(value)


@given(JSON)
def test_a_reader_never_fails(value: Any) -> None:
    """Each way of reading a field gives its type or None, whatever is there."""
    reader = Reader({"x": value})
    assert isinstance(reader.number("x"), float | None)
    assert isinstance(reader.integer("x"), int | None)
    assert isinstance(reader.small("x"), int | None)
    assert isinstance(reader.truth("x"), bool | None)
    assert isinstance(reader.text("x"), str | None)
    assert isinstance(reader.moment("x"), float | None)
    assert len(reader.position("x")) == 2
    assert isinstance(reader.object("x"), Reader)
    assert all(isinstance(one, Reader) for one in reader.objects("x"))
    assert all(len(problem) < 100 for problem in reader.problems)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T01:00:01+01:00", 1.0),
        ("1970-01-01 00:00:01", 1.0),
        ("1969-12-31T23:59:59Z", -1.0),
        ("2016-12-31T23:59:60Z", 1_483_228_800.0),
        ("1970-01-01T00:00:00.5Z", 0.5),
        ("24:00", None),
        ("2026-02-30T00:00:00Z", None),
        ("", None),
        (12.5, None),
        (True, None),
        ([], None),
    ],
)
def test_moments(value: Any, seconds: float | None) -> None:
    """Moments with any offset or none, and leap seconds, are seconds; anything else is named."""
    reader = Reader({"x": value})
    assert reader.moment("x") == seconds
    assert len(reader.problems) == (seconds is None)


@pytest.mark.parametrize(
    ("value", "number", "integer", "truth"),
    [
        ("12.5", 12.5, None, None),
        (" 7 ", 7.0, 7, None),
        (7.0, 7.0, 7, None),
        (2**62 + 1, float(2**62 + 1), 2**62 + 1, None),
        (1, 1.0, 1, True),
        (0, 0.0, 0, False),
        ("true", None, None, True),
        ("FALSE", None, None, False),
        ("nan", None, None, None),
        ("1e999", None, None, None),
        (2**70, float(2**70), None, None),
        (None, None, None, None),
        ([1], None, None, None),
    ],
)
def test_numbers_and_truths(
    value: Any, number: float | None, integer: int | None, truth: bool | None
) -> None:
    """Numbers come as numbers or text, whole ones stay exact, and yes and no have their words."""
    reader = Reader({"x": value})
    assert reader.number("x") == number
    assert reader.integer("x") == integer
    assert reader.truth("x") is truth


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ([41.4, 2.17], (41.4, 2.17)),
        (["41.4", "2.17"], (41.4, 2.17)),
        ([-90, 180], (-90.0, 180.0)),
        ([], (None, None)),
        ([0, 0], (None, None)),
        ([0, 2.17], (0.0, 2.17)),
        ([91, 0], (None, None)),
        ([2.17, 241.4], (None, None)),
        ([1, 2, 3], (None, None)),
        ([None, 1], (None, None)),
        ("41.4,2.17", (None, None)),
        (None, (None, None)),
    ],
)
def test_positions(value: Any, found: tuple[float | None, float | None]) -> None:
    """A position has two numbers on Earth; (0, 0) is where there is none."""
    assert Reader({"x": value}).position("x") == found
