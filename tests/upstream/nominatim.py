"""A simulated Nominatim: answers of recorded shapes, by position, with its policy watched."""

import dataclasses
from typing import Any

from tests.upstream.calls import Answer, Call
from tests.upstream.server import Upstream

_LICENCE = "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright"


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known of a position: the middle of what is named, and its address."""

    lat: float
    lng: float
    address: dict[str, str]


LJUBLJANA = Known(
    46.0500268,
    14.5069289,
    {
        "city": "Ljubljana",
        "ISO3166-2-lvl8": "SI-061",
        "country": "Slovenia",
        "country_code": "si",
    },
)


class NominatimUpstream(Upstream):
    """Answers /reverse; known: by latitude and longitude as they are asked, else the sea.

    raw: bodies that are sent as they are, for the same keys. too_early: calls that came less than
    a second after the one before.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.known: dict[tuple[str, str], Known] = {}
        self.raw: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.too_early = 0

    def answer(self, call: Call) -> Answer:
        """Say what is there."""
        if self.calls[:-1] and (call.moment - self.calls[-2].moment).total_seconds() < 1:
            self.too_early += 1
        if call.path != "/reverse" or call.query.get("format") != "jsonv2":
            return Answer(404, raw=b"<html>Not Found</html>", content_type="text/html")
        if "python-requests" in call.headers.get("user-agent", "python-requests"):
            return Answer(403, raw=b"<html>Blocked</html>", content_type="text/html")
        key = call.query["lat"], call.query["lon"]
        if key in self.raw:
            status, body = self.raw[key]
            return Answer(status, raw=body)
        if key not in self.known:
            return Answer(payload={"error": "Unable to geocode"})
        return Answer(payload=_payload(self.known[key]))


def _payload(known: Known) -> dict[str, object]:
    return {
        "place_id": 100000001,
        "licence": _LICENCE,
        "osm_type": "relation",
        "osm_id": 1675864,
        "lat": str(known.lat),
        "lon": str(known.lng),
        "category": "boundary",
        "type": "administrative",
        "place_rank": 16,
        "importance": 0.7,
        "addresstype": "city",
        "name": next(iter(known.address.values())),
        "display_name": ", ".join(known.address.values()),
        "address": known.address,
        "boundingbox": ["45.9661063", "46.1462969", "14.3952722", "14.7117004"],
    }
