"""Points: every channel as Strava sent it, fetched once, and again after a crop."""

import dataclasses
import random

from tests.enrichments import truth
from tests.enrichments.test_details import follow, newest
from tests.sources.strava_place import Place
from tests.upstream.calls import Answer, Call
from tests.upstream.faults import Fault
from tests.upstream.status_faults import Status


@dataclasses.dataclass
class Body(Fault):
    """Another body, byte for byte."""

    raw: bytes

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:  # noqa: ARG002
        """Put it in place of the right one."""
        return dataclasses.replace(answer, raw=self.raw)


def test_every_channel_of_every_point_is_what_strava_sent(whole: Place) -> None:
    """Times, positions and all measurements of all points are equal; gaps are NULL."""
    ids = whole.upstream.visible_set()
    assert truth.of_streams(whole, ids) == []
    [counted] = whole.query(
        "select count(*) as points, count(power_w) as power, count(lat) as located "
        "from activity_streams"
    )
    assert counted["points"] == 300 * 38
    assert 0 < counted["power"] < counted["located"] < counted["points"]


def test_manual_entries_are_never_asked_for_points(whole: Place) -> None:
    """An activity that was entered by hand has no points and costs no call for them."""
    manual = {int(row["id"]) for row in whole.query("select id from activities where manual")}
    calls = whole.upstream.calls_to("/streams")
    assert len(manual) == 2
    assert not {one for one in manual if any(f"/{one}/" in call.path for call in calls)}
    assert len(calls) == 38


def test_the_map_has_the_points_way_where_there_is_one(whole: Place) -> None:
    """An activity has geometry exactly if it has positions; it begins where the points do."""
    account = whole.upstream.account
    rows = whole.query("select id, has_track from activities")
    for row in rows:
        told = account.streams(row["id"]) or {}
        assert row["has_track"] == ("latlng" in told), row
    tracks = whole.query(
        "select count(*) as n, count(distinct activity_id) as ids from activity_tracks"
    )
    located = sum(row["has_track"] for row in rows)
    assert tracks == [{"n": located, "ids": located}]


def test_an_activity_without_points_is_remembered_as_such(pulled: Place) -> None:
    """404, an empty object and an empty list mean none; none of them is asked for again."""
    first, second, third = sorted(pulled.upstream.visible_set())[:3]
    pulled.upstream.account.edit(first, points=0)
    pulled.upstream.script.add(Body(b"{}"), path="/streams", ids={second})
    pulled.upstream.script.add(Body(b"[]"), path="/streams", ids={third})
    report = pulled.enrich(only=("streams",))
    pulled.compact()
    assert (report.calls, report.absent, report.quarantined) == (6, 1, 0)
    rows = pulled.query("select id from activities where point_count = 0 order by id")
    assert [row["id"] for row in rows] == [first, second, third]
    assert pulled.enrich(only=("streams",)).calls == 0


def test_points_that_are_gone_are_gone_from_gold(enriched: Place) -> None:
    """When a changed activity has no points any more, gold shows none: the newest word wins."""
    one = newest(enriched)
    enriched.upstream.account.edit(one, points=0, distance=900.0)
    enriched.advance(days=0.01)
    assert follow(enriched) == [f"activities/{one}", f"activities/{one}/streams"]
    [row] = enriched.query("select point_count, stream_source from activities where id = ?", one)
    assert row["point_count"] == 0
    assert enriched.query("from activity_streams where activity_id = ?", one) == []
    enriched.compact(rebuild=True, verify=True)


def test_a_moved_start_moves_the_points_with_it(enriched: Place) -> None:
    """A new start time fetches the points again; efforts start where the activity does."""
    account, one = enriched.upstream.account, newest(enriched)
    account.edit(one, start=account.items[one].start.replace(hour=3), sport_type="Ride")
    enriched.advance(days=0.01)
    assert follow(enriched)[-1] == f"activities/{one}/streams"
    assert truth.of_streams(enriched, [one]) == []
    [row] = enriched.query(
        "select count(*) as efforts, bool_and(e.start_date >= a.start_date) as after "
        "from activity_best_efforts as e inner join activities as a on a.id = e.activity_id "
        "where a.id = ?",
        one,
    )
    assert row["efforts"] > 0
    assert row["after"]


HUGE = b"1" + b"0" * 400
DEEP = b"[" * 900 + b"]" * 900
READABLE = {
    "not a number": (b'{"time":{"data":[0,1,NaN,3]},"distance":{"data":[0,1,2,Infinity]}}', 3),
    "a number beyond all": (b'{"time":{"data":[0,1]},"distance":{"data":[0,' + HUGE + b"]}}", 2),
    "a time beyond all": (b'{"time":{"data":[0,1,' + HUGE + b",1e18,-1e15]}}", 2),
    "numbers as text": (b'{"time":{"data":["0","1","x"]},"heartrate":{"data":["a",true,{}]}}', 2),
    "odd positions": (b'{"time":{"data":[0,1,2]},"latlng":{"data":[[1,2],null,["a","b"]]}}', 3),
    "a list of streams": (b'[{"type":"time","data":[0,1]},{"type":[1],"data":[0]},null]', 2),
    "a channel that is too short": (b'{"time":{"data":[0,1,2]},"heartrate":{"data":[99]}}', 3),
    "one moment twice": (b'{"time":{"data":[0,0,1,1]},"heartrate":{"data":[1,2,3,4]}}', 2),
    "times that descend": (b'{"time":{"data":[2,1,0]},"watts":{"data":[1,2,3]}}', 3),
    "one point": (b'{"time":{"data":[0]},"latlng":{"data":[[41,2]]}}', 1),
    "enormous values": (b'{"time":{"data":[0,1]},"altitude":{"data":[1e308,-1e308]}}', 2),
    "the ends of the world": (
        b'{"time":{"data":[0,9]},"latlng":{"data":[[90,180],[-90,-180]]}}',
        2,
    ),
}
UNREADABLE = {
    "no times": b'{"distance":{"data":[0,5]}}',
    "nested times": b'{"time":{"data":' + DEEP + b"}}",
    "text": b'"hello"',
    "a number": b"5",
    "nothing": b"null",
    "a word of the service": b'{"message":"We are upgrading","errors":[]}',
    "deep lists": DEEP,
    "a list of other things": b'[{"type":{"a":1},"data":[0,1]}]',
}


def with_bodies(place: Place, bodies: dict[str, bytes]) -> dict[str, int]:
    """Upload an activity for each body that its streams are answered with; return their ids."""
    ids = {}
    for hours, (name, body) in enumerate(bodies.items(), start=1):
        ids[name] = place.upstream.account.late_upload(days=hours / 24, sport_type="Ride")
        place.upstream.script.add(Body(body), path="/streams", ids={ids[name]})
    return ids


def test_odd_streams_are_read_as_far_as_they_make_sense(place: Place) -> None:
    """What a stream says that cannot be is NULL; the rest is there, and gold stays sound."""
    ids = with_bodies(place, {name: body for name, (body, _) in READABLE.items()})
    place.pull()
    report = place.enrich(only=("streams",))
    place.compact()
    assert (report.fetched, report.quarantined) == ({"streams": 6 + len(ids)}, 0)
    rows = place.query("select activity_id as id, count(*) as n from activity_streams group by all")
    points = {row["id"]: row["n"] for row in rows}
    assert {name: points[one] for name, one in ids.items()} == {
        name: count for name, (_, count) in READABLE.items()
    }
    place.compact(rebuild=True, verify=True)


def test_an_answer_that_is_no_stream_is_set_aside_with_its_page(place: Place) -> None:
    """It is not taken for an activity without points; its page is kept and it is tried again."""
    ids = with_bodies(place, UNREADABLE)
    place.pull()
    report = place.enrich(only=("streams",))
    place.compact()
    assert (report.fetched, report.quarantined) == ({"streams": 6}, len(ids))
    aside = {item["item"]: item for item in place.query("from quarantine")}
    for one in ids.values():
        kept = place.folders.data / aside.pop(f"streams of strava {one}")["location"]
        assert len(list(kept.glob(f"page-*-{one}.json.zst"))) == 1
    assert not aside
    place.upstream.script.clear()
    place.advance(days=1.1)
    assert place.enrich(only=("streams",)).calls == len(ids)
    place.compact()
    assert truth.of_streams(place, ids.values()) == []
    assert place.query("from quarantine") == []


def test_an_odd_status_about_one_activity_ends_nothing_for_the_others(place: Place) -> None:
    """A 400 or 422 sets one activity's points aside and the rest goes on."""
    first, second = sorted(place.upstream.visible_set())[:2]
    place.upstream.script.add(Status(422, {"message": "no GPS"}), path="/streams", ids={first})
    place.upstream.script.add(Status(400, {}), path="/streams", ids={second})
    place.pull()
    report = place.enrich(only=("streams",))
    assert (report.calls, report.quarantined, report.left) == (6, 2, 0)
