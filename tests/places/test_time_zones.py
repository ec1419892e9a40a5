"""Activities with a position have a time zone, whatever their source says."""

import pytest

from tests.upstream.activities import TEMPLATES
from tracklake.strava import records

MADRID = {"start_latlng": [41.4, 2.17]}


@pytest.mark.parametrize(
    ("fields", "zone"),
    [
        (MADRID | {"timezone": None}, "Europe/Madrid"),
        (MADRID | {"timezone": ""}, "Europe/Madrid"),
        (MADRID | {"timezone": "(GMT+00:00) UTC"}, "Europe/Madrid"),
        (MADRID | {"timezone": "(GMT-05:00) America/New_York"}, "America/New_York"),
        (MADRID | {"timezone": None, "sport_type": "VirtualRide"}, None),
        ({"start_latlng": [40.0, -30.0], "timezone": None}, "Etc/GMT+2"),
        ({"start_latlng": [], "timezone": None}, None),
    ],
)
def test_strava_without_a_zone(fields: dict[str, object], zone: str | None) -> None:
    """Where Strava names no zone, it is that of the start; in a game it stays unknown."""
    assert records.listed(TEMPLATES["summary"] | fields, "me").row["timezone"] == zone
