"""Details with their laps, splits and efforts: as Strava has them, fetched when they changed."""

from tests.enrichments import truth
from tests.sources.strava_place import Place
from tests.upstream.status_faults import Observed, Status
from tracklake import bronze, pages
from tracklake.identity import bytes_hash


def newest(place: Place) -> int:
    """Return the activity that was uploaded last."""
    return max(place.upstream.visible_set())


def asked(place: Place, since: int) -> list[str]:
    """Return the paths that were asked for after a call."""
    calls = [call for call in place.upstream.calls if call.number > since]
    return [call.path.removeprefix("/api/v3/") for call in calls]


def follow(place: Place) -> list[str]:
    """Pull, enrich, compact; return what was asked about single activities."""
    before = len(place.upstream.calls)
    place.pull()
    place.enrich()
    place.compact()
    return [path for path in asked(place, before) if path != "athlete/activities"]


def test_details_and_all_that_comes_with_them_are_what_strava_says(whole: Place) -> None:
    """Description, kudos, gear, laps, both splits with pace zones, segment efforts: all equal."""
    ids = whole.upstream.visible_set()
    assert truth.of_details(whole, ids) == []
    [counts] = whole.query(
        "select (select count(*) from activity_laps) as laps, "
        "(select count(*) from activity_splits_metric where pace_zone is not null) as zones, "
        "(select count(*) from activity_segment_efforts where effort_id > 1e18) as long_ids"
    )
    assert all(count > 10 for count in counts.values()), counts


def test_a_run_has_the_best_efforts_that_strava_lists_and_power_that_is_computed(
    whole: Place,
) -> None:
    """Distance efforts of runs are Strava's own; of rides they are computed, and so is power."""
    account = whole.upstream.account
    ids = whole.upstream.visible_set()
    runs = {one for one in ids if account.detail(one)["best_efforts"]}
    assert len(runs) > 10
    for one in runs:
        assert truth.of_best_efforts(whole, one) == []
    rows = whole.query("select distinct activity_id, kind, origin from activity_best_efforts")
    others = {(r["kind"], r["origin"]) for r in rows if r["activity_id"] not in runs}
    assert others == {("distance", "computed"), ("power", "computed")}
    assert {r["origin"] for r in rows if r["kind"] == "power"} == {"computed"}


def test_computed_power_is_the_mean_of_the_best_minute(whole: Place) -> None:
    """A ride's best minute lies between the lowest and the highest watts that Strava sent."""
    rows = whole.query(
        "select activity_id, average_watts, end_index - start_index as points "
        "from activity_best_efforts where kind = 'power' and name = '1min'"
    )
    assert len(rows) > 5
    for row in rows:
        told = whole.upstream.account.streams(row["activity_id"])
        assert told is not None
        assert 0 < row["average_watts"] <= max(filter(None, told["watts"]["data"]))


def test_a_second_enrich_asks_for_nothing(enriched: Place) -> None:
    """What is there is not fetched again, nor is what Strava said it has not."""
    before = len(enriched.upstream.calls)
    report = enriched.enrich()
    assert (report.calls, report.plan, report.left, report.finished_at) == (0, {}, 0, "")
    assert len(enriched.upstream.calls) == before
    assert not enriched.compact().published


def test_a_new_name_fetches_the_details_again_and_not_the_points(enriched: Place) -> None:
    """A rename in the list costs one call; gold has the new words of list and detail."""
    one = newest(enriched)
    enriched.upstream.account.edit(one, name="Renamed", description="in other words")
    enriched.advance(days=0.01)
    assert follow(enriched) == [f"activities/{one}"]
    assert truth.of_details(enriched, [one]) == []
    [row] = enriched.query("select name, description from activities where id = ?", one)
    assert row == {"name": "Renamed", "description": "in other words"}


def test_a_crop_fetches_both_again_and_leaves_nothing_of_the_old(enriched: Place) -> None:
    """Laps, splits, efforts and points of a cropped run are replaced, not left behind."""
    account = enriched.upstream.account
    one = newest(enriched)
    account.edit(one, sport_type="Run", distance=21_500.0, moving_time=7_000, elapsed_time=7_000)
    enriched.advance(days=0.01)
    follow(enriched)
    long = enriched.query("select count(*) as n from activity_laps where activity_id = ?", one)
    account.edit(one, distance=6_400.0, moving_time=2_000, elapsed_time=2_000, points=25)
    enriched.advance(days=0.01)
    assert follow(enriched) == [f"activities/{one}", f"activities/{one}/streams"]
    assert long == [{"n": 5}]
    assert truth.of_details(enriched, enriched.upstream.visible_set()) == []
    assert truth.of_streams(enriched, enriched.upstream.visible_set()) == []
    assert truth.of_best_efforts(enriched, one) == []
    enriched.compact(rebuild=True, verify=True)


def test_a_detail_that_loses_its_parts_loses_them_in_gold(enriched: Place) -> None:
    """Laps, efforts and splits that Strava does not list any more are gone from gold."""
    one = newest(enriched)
    gone: dict[str, object] = {name: [] for name in ("laps", "splits_metric", "segment_efforts")}
    enriched.upstream.account.edit(one, name="Bare", splits_standard=[], **gone)
    enriched.advance(days=0.01)
    assert follow(enriched) == [f"activities/{one}"]
    assert truth.of_details(enriched, [one]) == []


def test_kudos_cost_no_call_and_both_tables_follow_the_list(enriched: Place) -> None:
    """More kudos, then fewer, in the list alone: no detail is fetched, gold says the same."""
    account, one = enriched.upstream.account, newest(enriched)
    for more in (7, -2):
        account.kudos(one, more)
        enriched.advance(days=0.01)
        assert follow(enriched) == []
        expected = account.truth(one)["kudos_count"]
        assert kudos(enriched, one) == (expected, expected)


def test_kudos_that_came_between_list_and_detail_count(pulled: Place) -> None:
    """Where the detail knows more kudos than the list before it, both tables say so."""
    one = newest(pulled)
    pulled.upstream.account.kudos(one, 5)
    pulled.enrich(only=("details",))
    pulled.compact()
    expected = pulled.upstream.account.truth(one)["kudos_count"]
    assert kudos(pulled, one) == (expected, expected)
    pulled.compact(rebuild=True, verify=True)


def kudos(place: Place, one: int) -> tuple[int, int]:
    """Return an activity's kudos in gold's two tables."""
    [row] = place.query(
        "select a.kudos_count as listed, d.kudos_count as detailed from activities as a "
        "inner join activity_details as d on d.activity_id = a.id where a.id = ?",
        one,
    )
    return row["listed"], row["detailed"]


def test_what_is_not_for_us_is_no_error_and_not_asked_again(place: Place) -> None:
    """402, 403 and 404 about one activity are remembered as nothing; all others are there."""
    ids = sorted(place.upstream.visible_set())
    for one, fault in zip(
        ids, (Observed("absent"), Status(403, {}), Status(402, {})), strict=False
    ):
        place.upstream.script.add(fault, ids={one}, path=r"/activities/\d+$")
    place.pull()
    report = place.enrich(only=("details",))
    place.compact()
    assert (report.absent, report.quarantined, report.fetched) == (3, 0, {"details": 3})
    assert truth.of_details(place, ids[3:]) == []
    rows = place.query("select activity_id from activity_details order by 1")
    assert [row["activity_id"] for row in rows] == ids[3:]
    assert place.enrich(only=("details",)).calls == 0


def test_details_that_are_withheld_later_stay_as_they_were(enriched: Place) -> None:
    """A 403 after an edit takes nothing away that was already fetched."""
    one = newest(enriched)
    before = enriched.upstream.account.detail(one)
    enriched.upstream.account.edit(one, name="Renamed")
    enriched.upstream.script.add(Status(403, {}), ids={one})
    enriched.advance(days=0.01)
    assert follow(enriched) == [f"activities/{one}"]
    [row] = enriched.query("select calories from activity_details where activity_id = ?", one)
    assert row["calories"] == before["calories"]
    [laps] = enriched.query("select count(*) as n from activity_laps where activity_id = ?", one)
    assert laps["n"] == len(before["laps"])
    [named] = enriched.query("select name from activities where id = ?", one)
    assert named["name"] == "Renamed"
    enriched.compact(rebuild=True, verify=True)


def test_an_answer_in_other_words_lands_beside_usual_ones(pulled: Place) -> None:
    """Text for a number, a NUL: that record alone is read leniently, and recovery reads it alike.

    Each row bears the hash of the bytes that were received.
    """
    odd, other = sorted(pulled.upstream.visible_set())[-2:]
    pulled.upstream.account.edit(odd, calories="619.5", description="a\0b")
    pulled.enrich(only=("details",))
    pulled.compact()
    [row] = pulled.query("select * from activity_details where activity_id = ?", odd)
    assert (row["calories"], row["description"]) == (619.5, "a\ufffdb")
    assert truth.of_details(pulled, {other}) == []
    laps = pulled.query("select count(*) as n from activity_laps where activity_id = ?", odd)
    assert laps[0]["n"] == len(pulled.upstream.account.detail(odd)["laps"]) > 0
    rows = pulled.shard_rows("activity_details")
    paths = pages.landed(pulled.folders.bronze, "strava", "activity_details", pulled.athlete)
    received = {pages.subject(path): bytes_hash(pages.read(path).body) for path in paths}
    assert {one["source_id"]: one["content_hash"] for one in rows} == received
    for shard in bronze.shard_paths(pulled.folders.bronze, "activity_details"):
        shard.unlink()
    pulled.forget_state()
    assert pulled.enrich(only=("details",)).calls == 0
    assert pulled.shard_rows("activity_details") == rows
