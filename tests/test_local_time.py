"""Local time of an outing."""

import datetime as dt
import time
from typing import Any

import pytest

from tests.formulas import examples
from tracklake.analysis import local_time


@pytest.mark.parametrize("example", examples("zone"))
def test_zone_example(example: dict[str, Any]) -> None:
    """The documented zones hold, from the position down to none at all."""
    start = dt.datetime.fromisoformat(example["start"]).timestamp()
    position = (example["lat"], example["lng"]) if "lat" in example else None
    zone, offset = local_time.zone_at(start, position, example.get("file_offset_s"))
    assert zone == example["timezone"]
    assert offset == example["utc_offset_s"]


@pytest.mark.parametrize(
    ("start", "lat", "lng", "zone", "hours"),
    [
        ("2024-03-31T00:59:00Z", 51.5, -0.1, "Europe/London", 0),
        ("2024-03-31T01:00:00Z", 51.5, -0.1, "Europe/London", 1),
        ("2024-12-01T12:00:00Z", 27.7, 85.3, "Asia/Kathmandu", 5.75),
        ("2024-07-01T12:00:00Z", 40.78, -73.97, "America/New_York", -4),
        ("2024-07-01T12:00:00Z", 30.0, -40.0, "Etc/GMT+3", -3),
    ],
)
def test_zones_around_the_world(
    start: str, lat: float, lng: float, zone: str, hours: float
) -> None:
    """Summer time, quarters of an hour, the west and the open sea are right."""
    moment = dt.datetime.fromisoformat(start).timestamp()
    assert local_time.zone_at(moment, (lat, lng), None) == (zone, hours * 3600)


@pytest.mark.parametrize(
    ("offset_s", "zone", "utc_offset_s"),
    [
        (-18000.0, "Etc/GMT+5", -18000),
        (0.0, "Etc/GMT", 0),
        (50400.0, "Etc/GMT-14", 50400),
        (-43201.0, None, 0),
        (1e9, None, 0),
        (float("nan"), None, 0),
    ],
)
def test_the_files_own_offset(offset_s: float, zone: str | None, utc_offset_s: float) -> None:
    """POSIX's inverted sign is minded, and an offset that no place on Earth has is ignored."""
    assert local_time.zone_at(1.7e9, None, offset_s) == (zone, utc_offset_s)


def test_the_machines_zone_never_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answer in Auckland, Honolulu and UTC."""
    answers = set()
    for zone in ("Pacific/Auckland", "Pacific/Honolulu", "UTC"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        answers.add(local_time.zone_at(1.7e9, (41.39, 2.16), None))
        answers.add(local_time.zone_at(1.7e9, None, 3600))
    monkeypatch.undo()
    time.tzset()
    assert answers == {("Europe/Madrid", 3600.0), ("Etc/GMT-1", 3600.0)}


def test_a_virtual_place_does_not_tell_the_time() -> None:
    """A game's island is where nobody's clock is; the file's own offset is, unless it is absurd."""
    watopia = (-11.64, 166.95)
    assert local_time.zone_at(1.7e9, watopia, 7200.0, is_virtual=True) == ("Etc/GMT-2", 7200.0)
    assert local_time.zone_at(1.7e9, watopia, -1e9, is_virtual=True)[0] == "Pacific/Guadalcanal"
    assert local_time.zone_at(1.7e9, watopia, None, is_virtual=True)[0] == "Pacific/Guadalcanal"
    assert local_time.zone_at(1.7e9, watopia, 7200.0)[0] == "Pacific/Guadalcanal"
