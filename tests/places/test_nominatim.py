"""Places from a Nominatim server: its policy, its words, its failures, what a kill leaves."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import zstandard

from tests.places.lake import ONLY, Lake, run
from tests.upstream.clock import MovableClock
from tests.upstream.nominatim import LJUBLJANA, NominatimUpstream
from tracklake import pages, quarantine
from tracklake.client import USER_AGENT
from tracklake.enrichments import places
from tracklake.errors import InvalidData
from tracklake.places import nominatim
from tracklake.stages import EnrichOptions

HOME = (46.0569, 14.4886)
ASKED = ("46.06", "14.49")
OTHER_CODE = (
    "update quarantine set code_version = substr(code_version, 1, instr(code_version, ' ')) || '0'"
)
WORDS = "select city, state, country, country_code, method from activity_places order by 1"


@pytest.fixture
def upstream() -> Iterator[NominatimUpstream]:
    """Return a server that knows Ljubljana."""
    server = NominatimUpstream(clock=MovableClock(tick_s=0.01)).start()
    server.known[ASKED] = LJUBLJANA
    yield server
    server.stop()


@pytest.fixture
def lake(tmp_path: Path, upstream: NominatimUpstream) -> Lake:
    """Return an empty lake that asks the server."""
    found = Lake(tmp_path, upstream.clock)
    found.set(nominatim_url=upstream.url)
    return found


def around(count: int) -> list[tuple[float, float]]:
    """Return positions in as many cells of a hundredth of a degree."""
    return [(46.0 + number / 100, 14.5) for number in range(count)]


def test_what_it_says_goes_first(lake: Lake, upstream: NominatimUpstream) -> None:
    """Where a server is set, its city and country are gold's; the time zone stays."""
    lake.land(run(1, HOME))
    report = lake.enrich()
    assert report is not None
    assert (report.asked, report.calls, report.left) == (1, 1, 0)
    assert lake.ask(WORDS) == [("Ljubljana", None, "Slovenia", "SI", "nominatim")]
    assert lake.ask("select time_zone from activity_places") == [("Europe/Ljubljana",)]
    (call,) = upstream.calls
    assert call.headers["user-agent"] == USER_AGENT
    assert call.query == {
        "lat": "46.06", "lon": "14.49", "format": "jsonv2", "zoom": "10", "addressdetails": "1",
        "accept-language": "en",
    }  # fmt: skip


def test_nobody_is_asked_unless_it_is_set(tmp_path: Path, upstream: NominatimUpstream) -> None:
    """Without NOMINATIM_URL nothing is sent anywhere."""
    lake = Lake(tmp_path, upstream.clock)
    lake.land(run(1, HOME))
    lake.enrich()
    assert upstream.calls == []
    assert lake.ask("select method from activity_places") == [("geonames",)]


def test_once_a_second_at_most(lake: Lake, upstream: NominatimUpstream) -> None:
    """Calls are a second apart, by the clock, failed tries too."""
    lake.land(*(run(number, place) for number, place in enumerate(around(5), 1)))
    upstream.raw["46.02", "14.50"] = (503, b"{}")
    report = lake.enrich()
    assert report is not None
    assert report.calls == len(upstream.calls) > 5
    assert upstream.too_early == 0


def test_a_kilometre_is_asked_about_once(lake: Lake, upstream: NominatimUpstream) -> None:
    """Activities from one cell share an answer, which is kept for good, the sea's too."""
    lake.land(run(1, HOME), run(2, (HOME[0] + 0.002, HOME[1])), run(3, (40.0, -30.0)))
    lake.enrich()
    assert len(upstream.calls) == 2
    assert lake.enrich() is None
    lake.land(run(4, (HOME[0] + 0.001, HOME[1] + 0.001)))
    lake.enrich()
    assert len(upstream.calls) == 2
    assert lake.ask("select count(*) from activity_places where method = 'nominatim'") == [(3,)]


def test_where_it_knows_nothing(lake: Lake) -> None:
    """Where the server has no answer, what comes along has the word."""
    lake.land(run(1, (41.3851, 2.1734)))
    lake.enrich()
    rows = lake.ask(WORDS)
    assert rows == [("Barcelona", "Catalonia", "Spain", "ES", "geonames")]


@pytest.mark.parametrize("status", [403, 429])
def test_it_refuses(lake: Lake, upstream: NominatimUpstream, status: int) -> None:
    """A refusal ends the asking at once, harms nothing, and is said; the next run asks again."""
    lake.land(*(run(number, place) for number, place in enumerate([HOME, *around(3)], 1)))
    for key in [ASKED, *((f"{lat:.2f}", f"{lng:.2f}") for lat, lng in around(3))]:
        upstream.raw[key] = (status, b"<html>no</html>")
    report = lake.enrich()
    assert report is not None
    assert len(upstream.calls) == 1
    assert (report.asked, report.left) == (0, 4)
    assert str(status) in report.summary()
    assert lake.ask("select count(city), max(method) from activity_places") == [(4, "geonames")]
    upstream.raw.clear()
    again = lake.enrich()
    assert again is not None
    assert again.asked == 4


def test_it_is_down(lake: Lake, upstream: NominatimUpstream) -> None:
    """A server that fails is asked about two places, not about all; nothing else suffers."""
    lake.land(*(run(number, place) for number, place in enumerate(around(8), 1)))
    with upstream.down():
        report = lake.enrich()
    assert report is not None
    assert report.failed
    assert (report.looked_up, report.asked, report.left) == (8, 0, 8)
    assert lake.ask("select count(city) from activity_places") == [(8,)]


def test_an_answer_that_is_none(lake: Lake, upstream: NominatimUpstream) -> None:
    """A place whose answer makes no sense is set aside; the others come."""
    lake.land(run(1, HOME), run(2, (46.5, 15.0)))
    upstream.raw["46.50", "15.00"] = (200, b'{"address": []}')
    report = lake.enrich()
    assert report is not None
    assert (report.asked, report.quarantined, report.left) == (1, 1, 0)
    (item,) = quarantine.items(lake.session.state)
    assert item["source"] == "nominatim"
    calls = len(upstream.calls)
    lake.enrich()
    assert len(upstream.calls) == calls  # not before it is due
    del upstream.raw["46.50", "15.00"]
    upstream.clock.advance(3 * 86_400)
    lake.enrich()
    assert quarantine.items(lake.session.state) == []


def test_what_is_readable_now_is_read_from_bronze(lake: Lake, upstream: NominatimUpstream) -> None:
    """An answer of another shape is kept; other code reads it there, without a call."""
    lake.land(run(1, HOME))
    upstream.raw[ASKED] = (200, b'{"address": []}')
    lake.enrich()
    [(location,)] = lake.session.state.execute("select location from quarantine")
    calls = len(upstream.calls)
    lake.session.state.execute(OTHER_CODE)
    lake.enrich()  # it fails, too, and asks nobody
    assert lake.session.state.execute("select attempts from quarantine") == [(1,)]
    [page] = (lake.session.folders.data / str(location)).glob("page-*.json.zst")
    body = orjson.dumps({"lat": "46.05", "lon": "14.5", "address": LJUBLJANA.address})
    page.write_bytes(zstandard.compress(body))  # as if mended code could read it
    lake.session.state.execute(OTHER_CODE)
    lake.enrich()
    assert len(upstream.calls) == calls
    assert quarantine.items(lake.session.state) == []
    assert lake.ask(WORDS)[0][0] == "Ljubljana"


def test_one_that_always_fails_is_set_aside_and_ends_dead(
    lake: Lake, upstream: NominatimUpstream
) -> None:
    """The others come. It is tried on five later days with growing gaps, then no more."""
    lake.land(run(1, HOME), run(2, (46.5, 15.0)))
    upstream.raw["46.50", "15.00"] = (500, b"")
    report = lake.enrich()
    assert report is not None
    assert (report.asked, report.quarantined, report.left) == (1, 1, 0)
    days = []
    for day in range(60):
        calls = len(upstream.calls)
        lake.enrich()
        if len(upstream.calls) > calls:
            days.append(day)
        upstream.clock.advance(86_400)
    assert len(days) == 5
    assert days[0] == 1
    found = lake.session.state.execute("select attempts, next_try_at from quarantine")
    assert found == [(6, None)]


def test_one_that_fails_while_nothing_comes_is_asked_again_by_the_next_run(
    lake: Lake, upstream: NominatimUpstream
) -> None:
    """Nothing says that it is not the server: the first time it waits for nothing."""
    lake.land(run(1, HOME))
    upstream.raw[ASKED] = (503, b"")
    report = lake.enrich()
    assert report is not None
    assert (report.failed != "", report.left, report.quarantined) == (True, 1, 0)
    upstream.raw.clear()
    again = lake.enrich()
    assert again is not None
    assert again.asked == 1
    assert quarantine.items(lake.session.state) == []


def test_most_calls(lake: Lake, upstream: NominatimUpstream) -> None:
    """--max-calls ends it; the next run goes on there."""
    lake.land(*(run(number, place) for number, place in enumerate(around(5), 1)))
    report = lake.enrich(EnrichOptions(only=ONLY.only, max_calls=2))
    assert report is not None
    assert (report.asked, report.left, len(upstream.calls)) == (2, 3, 2)
    lake.enrich()
    assert len(upstream.calls) == 5


def test_what_a_kill_left(lake: Lake, upstream: NominatimUpstream) -> None:
    """Pages of a run that died before its shard are not asked for again."""
    lake.land(run(1, HOME))
    now = lake.session.clock.now()
    dead = pages.Run.begin(lake.session.folders.bronze, "nominatim", "places", "me", now)
    body = orjson.dumps({"lat": "46.05", "lon": "14.5", "address": LJUBLJANA.address})
    dead.add(pages.Page(places.Cell(46_060, 14_490).key, 200, body))
    lake.enrich()
    assert upstream.calls == []
    assert lake.ask(WORDS)[0][0] == "Ljubljana"


@pytest.mark.parametrize(
    ("address", "city"),
    [
        ({"town": "b", "city": "a"}, "a"),
        ({"village": "Les Houches", "county": "Haute-Savoie", "country_code": "fr"}, "Les Houches"),
        ({"hamlet": "x", "municipality": "y", "country_code": "se"}, "y"),
        ({"suburb": "s", "county": "c"}, "s"),
        ({"county": "c", "city": " "}, "c"),
        ({"country": "France"}, None),
    ],
)
def test_which_word_is_the_settlement(address: dict[str, str], city: str | None) -> None:
    """The settlement is what is named best: city, town, village, municipality, hamlet, …"""
    body = orjson.dumps({"lat": "46.0", "lon": "7.0", "address": address})
    row = nominatim.read(body, 46_000, 7_000)
    assert row["city"] == city
    assert row["distance_km"] == 0
    code = address.get("country_code")
    assert row["country_code"] == (code.upper() if code else None)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b"{}", b'{"address": "here"}', b'{"error": {"code": 400}}'],
)
def test_what_is_no_answer(body: bytes) -> None:
    """What says nothing about a place is refused, not taken for the sea."""
    with pytest.raises(InvalidData):
        nominatim.read(body, 0, 0)


def test_the_sea_and_odd_numbers() -> None:
    """The sea is no place; a distance that makes no sense is left out."""
    said = nominatim.read(b'{"error": "Unable to geocode"}', 0, 0)
    assert set(said.values()) == {None}
    for lat in (b'"north"', b"null", b'"91"', b'"nan"'):
        body = b'{"lat": %s, "lon": "1", "address": {"city": "a"}}' % lat
        assert nominatim.read(body, 0, 0)["distance_km"] is None


def test_addresses() -> None:
    """A server's address may be given with or without its last part."""
    assert nominatim.url("https://n.example") == "https://n.example/reverse"
    assert nominatim.url("https://n.example/reverse") == "https://n.example/reverse"
