"""Gear: each named bike and pair of shoes once. Zones: only when they are asked for."""

from tests.enrichments import truth
from tests.enrichments.test_details import asked
from tests.sources.strava_place import Place
from tests.upstream.activities import TEMPLATES
from tests.upstream.status_faults import Observed, Status


def test_gear_is_what_strava_says_and_asked_for_once(whole: Place) -> None:
    """Three pieces of gear that 40 activities name cost three calls and are there as Strava's."""
    assert truth.of_gear(whole, ("g1001", "g1002", "b2001")) == []
    assert len(whole.upstream.calls_to("/gear/")) == 3


def test_new_gear_costs_one_call_and_the_activity_its_details(place: Place) -> None:
    """Another bike in the list is asked for once, and so are the details of who names it."""
    ids = sorted(place.upstream.visible_set())
    for one in ids:
        place.upstream.account.edit(one, gear_id="g1001")
    place.pull()
    place.enrich()
    before = len(place.upstream.calls)
    place.upstream.account.edit(ids[-1], gear_id="b2001")
    place.pull()
    place.enrich()
    place.compact()
    paths = [path for path in asked(place, before) if path != "athlete/activities"]
    assert paths == ["gear/b2001", f"activities/{ids[-1]}"]
    assert truth.of_details(place, ids) == []
    assert truth.of_gear(place, ("g1001", "b2001")) == []


def test_gear_that_is_gone_or_withheld_keeps_its_id_for_a_name(place: Place) -> None:
    """404 about gear is no error, and it is not asked for again."""
    for one, gear_id in zip(
        sorted(place.upstream.visible_set()), ("g404", "b404", "g7"), strict=False
    ):
        place.upstream.account.edit(one, gear_id=gear_id)
    place.upstream.script.add(Status(402, {}), path="/gear/g7")
    place.pull()
    place.enrich(only=("gear",))
    place.compact()
    rows = place.query(
        "select gear_id, name, kind from gear where gear_id in ('b404', 'g404', 'g7') order by 1"
    )
    assert rows == [
        {"gear_id": "b404", "name": "b404", "kind": "bike"},
        {"gear_id": "g404", "name": "g404", "kind": "shoes"},
        {"gear_id": "g7", "name": "g7", "kind": "shoes"},
    ]
    assert place.enrich(only=("gear",)).calls == 0


def test_a_gear_id_that_is_none_reaches_neither_an_address_nor_a_file(place: Place) -> None:
    """Ids with slashes, dots or of endless length are left alone; the rest is fetched."""
    hostile = ("../../../athlete", "g/1", "g1?x=y", "..", "b" * 500, "g1\n2", " ")
    ids = sorted(place.upstream.visible_set())
    for one, gear_id in zip(ids, hostile, strict=False):
        place.upstream.account.edit(one, gear_id=gear_id)
    place.upstream.account.late_upload(days=3, gear_id="b2001")
    place.pull()
    before = len(place.upstream.calls)
    report = place.enrich(only=("gear",))
    assert report.calls == 1
    assert asked(place, before) == ["gear/b2001"]


def test_an_answer_about_other_gear_is_set_aside(place: Place) -> None:
    """A bike under another id than was asked for is not taken for the one asked for."""
    one = max(place.upstream.visible_set())
    place.upstream.account.edit(one, gear_id="b2001")
    place.upstream.script.add(Status(200, {"id": "b9", "name": "Other"}), path="/gear/b2001")
    place.pull()
    report = place.enrich(only=("gear",))
    place.compact()
    assert report.quarantined == 1
    assert place.query("from gear where name = 'Other'") == []
    assert [row["reason"] for row in place.query("from quarantine")] == ["other_id"]


def test_zones_are_fetched_only_when_asked_for(pulled: Place) -> None:
    """An ordinary run asks for no zones; `--only zones` asks once for each, and gold has them."""
    pulled.enrich()
    assert pulled.upstream.calls_to("/zones") == []
    ids = sorted(pulled.upstream.visible_set())
    pulled.upstream.script.add(Observed("absent"), path="/zones", ids={ids[0]})
    pulled.upstream.script.add(Status(402, {}), path="/zones", ids={ids[1]})
    report = pulled.enrich(only=("zones",))
    pulled.compact()
    assert (report.plan, report.absent, report.quarantined) == ({"zones": 6}, 2, 0)
    assert pulled.enrich(only=("zones",)).calls == 0
    rows = pulled.query("from activity_zones order by activity_id, zone_type, zone_index")
    assert {row["activity_id"] for row in rows} == set(ids[2:])
    told = TEMPLATES["zones"]
    mine = [row for row in rows if row["activity_id"] == ids[2]]
    expected = sorted(
        (
            (zone["type"], number, bucket["min"], bucket["time"], zone["sensor_based"])
            for zone in told
            for number, bucket in enumerate(zone["distribution_buckets"], start=1)
        ),
        key=lambda row: row[:2],
    )
    names = ("zone_type", "zone_index", "zone_min", "time_s", "sensor_based")
    assert [tuple(row[name] for name in names) for row in mine] == expected
    assert any(row["zone_max"] is None for row in mine)  # the last zone has no end
    pulled.compact(rebuild=True, verify=True)


def test_zones_that_are_withheld_later_stay(pulled: Place) -> None:
    """A lapsed subscription (402) takes no zones away that were fetched before."""
    one = max(pulled.upstream.visible_set())
    pulled.enrich(only=("zones",))
    pulled.upstream.account.edit(one, distance=1_234.0)
    pulled.upstream.script.add(Status(402, {}), path="/zones")
    pulled.pull()
    assert pulled.enrich(only=("zones",)).absent == 1
    pulled.compact()
    rows = pulled.query("from activity_zones where activity_id = ?", one)
    assert len(rows) == sum(len(zone["distribution_buckets"]) for zone in TEMPLATES["zones"])
