"""Places from activities to gold, offline: what is missing, what it costs, what the views say."""

import datetime as dt
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.places.lake import Lake, run
from tests.rows import land, make_session
from tracklake import cli_status, compaction
from tracklake.enrichments import places
from tracklake.places import dataset
from tracklake.stages import EnrichOptions, PlacesReport
from tracklake.status import status

BARCELONA, BADALONA = (41.3851, 2.1734), (41.4500, 2.2474)
JUAREZ, EL_PASO = (31.7390, -106.4870), (31.7587, -106.4869)
SEA = (40.0, -30.0)
COLUMNS = "city, state, country, country_code, method, end_city, end_country_code, time_zone"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return an empty lake."""
    return Lake(tmp_path)


def test_from_activity_to_gold(lake: Lake) -> None:
    """City, state, country of start and end, time zone and method are in activity_places."""
    lake.land(run(1, EL_PASO, JUAREZ), run(2, SEA), run(3, None))
    report = lake.enrich()
    assert report is not None
    assert report.looked_up == 3
    rows = set(lake.ask(f"select {COLUMNS} from activity_places"))  # noqa: S608 our own names
    assert rows == {
        (
            *("El Paso", "Texas", "United States", "US", "geonames"),
            *("Ciudad Juárez", "MX", "America/Denver"),
        ),
        (None, None, None, None, "geonames", None, None, "Etc/GMT+2"),
    }
    ((distance_km,),) = lake.ask("select distance_km from activity_places where city = 'El Paso'")
    assert 0 <= distance_km < 1


def test_status_says_how_many_are_known_and_whose_data_it_is(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two are to come, then one is there and one, at sea, cannot be; GeoNames is named."""
    lake.land(run(1, BARCELONA), run(2, SEA), run(3, None))
    folders = lake.session.folders
    assert status(folders)["places"] == {"done": 0, "pending": 2, "impossible": 1}
    lake.enrich()
    found = status(folders)
    assert found["places"] == {"done": 1, "pending": 0, "impossible": 2}
    cli_status.status(found)
    line = "places: 1 activities, 0 to come. GeoNames, © OpenStreetMap contributors"
    assert line in capsys.readouterr().out.splitlines()


def test_only_what_is_missing(lake: Lake) -> None:
    """A place is looked up once; another activity from there, or a second run, costs nothing."""
    lake.land(run(1, BARCELONA))
    assert lake.enrich() is not None
    shards = list((lake.session.folders.bronze / "geonames").rglob("shard.parquet"))
    lake.land(run(2, (BARCELONA[0] + 0.0001, BARCELONA[1] - 0.0001)))
    assert lake.enrich() is None
    assert list((lake.session.folders.bronze / "geonames").rglob("shard.parquet")) == shards
    assert lake.ask("select count(*), count(city) from activity_places") == [(2, 2)]


def test_another_version_is_looked_up_anew(lake: Lake) -> None:
    """What was looked up in an older table is replaced; the newest word wins."""
    lake.land(run(1, BARCELONA))
    row = {
        "source": "geonames", "athlete": "me", "source_id": "41385_2173", "method": "geonames",
        "lat_e3": 41385, "lng_e3": 2173, "city": "Barcino", "country": "Hispania",
        "country_code": "ES", "distance_km": 1.0, "dataset_version": "of the Romans",
    }  # fmt: skip
    land(lake.session, row, entity="places")
    lake.compact()
    assert lake.ask("select city from activity_places") == [("Barcino",)]
    report = lake.enrich()
    assert report is not None
    assert report.looked_up == 1
    assert lake.ask("select city from activity_places") == [("Barcelona",)]
    assert lake.ask("select dataset_version from place_cells") == [(dataset.version(),)]


def test_games_have_no_place(lake: Lake) -> None:
    """A virtual ride's island in the Pacific is no place that was visited."""
    lake.land(run(1, (-9.43, 159.95), sport_type="VirtualRide"))
    assert lake.enrich() is None
    assert lake.ask("select count(*) from activity_places") == [(0,)]


def test_dry_run(lake: Lake) -> None:
    """--dry-run says how much is missing and lands nothing."""
    lake.land(run(1, BARCELONA, BADALONA))
    report = lake.enrich(EnrichOptions(only=("places",), dry_run=True))
    assert report is not None
    assert report.looked_up == 2
    assert "2 to look up" in report.summary()
    assert not (lake.session.folders.bronze / "geonames").exists()


def test_since_days_and_ids(lake: Lake) -> None:
    """--ids and --since-days choose the activities whose places are looked up."""
    lake.land(run(1, BARCELONA), run(2, BADALONA))
    (newest,) = lake.ask("select id from activities order by start_date desc limit 1")
    assert lake.enrich(EnrichOptions(only=("places",), since_days=1)) is None
    assert lake.enrich(EnrichOptions(ids=(str(newest[0]),))) is None  # not unless it is said
    report = lake.enrich(EnrichOptions(only=("places",), ids=(str(newest[0]),)))
    assert report is not None
    assert report.looked_up == 1
    assert lake.ask("select city from activity_places") == [("Badalona",)]


def test_without_a_warehouse(lake: Lake) -> None:
    """Before the first compaction there is nothing to look up, and nothing fails."""
    assert lake.enrich() is None


def test_a_rebuild_says_the_same(lake: Lake) -> None:
    """Gold follows from bronze alone: verifying finds place_cells equal to a rebuild."""
    lake.land(run(1, BARCELONA, BADALONA), run(2, JUAREZ))
    lake.enrich()
    lake.compact(verify=True)
    before = lake.ask("select * from place_cells order by all")
    lake.compact(rebuild=True)
    assert lake.ask("select * from place_cells order by all") == before


def test_two_athletes_share_places(tmp_path: Path) -> None:
    """Where one athlete was is known to the other, whose own places are looked up."""
    mine, hers = Lake(tmp_path), Lake(tmp_path)
    hers.session = make_session(tmp_path, athlete="anna")
    land(hers.session, run(3, BARCELONA, BADALONA, athlete="anna", record_id=3))
    mine.land(run(1, BARCELONA))
    mine.enrich()
    report = hers.enrich()
    assert report is not None
    assert report.looked_up == 1
    rows = hers.ask("select athlete, city, activity_count from cities order by 1, 2")
    assert rows == [("anna", "Badalona", 0), ("anna", "Barcelona", 1), ("me", "Barcelona", 1)]


def test_the_antimeridian_is_one_cell(lake: Lake) -> None:
    """180 degrees east and west are one cell, in every cell's size."""
    lake.land(run(1, (-16.8, 180.0), (-16.8, -180.0)))
    report = lake.enrich()
    assert report is not None
    assert report.looked_up == 1
    assert set(lake.ask("select distinct lng_e3 from activity_ends")) == {(-180_000,)}


POSITIONS = [BARCELONA, BADALONA, JUAREZ, EL_PASO, SEA, (47.6603, 9.1758), (47.6459, 9.1783), None]


def test_countries_and_cities_as_a_slow_count_says(lake: Lake) -> None:
    """Counts, days, first and last day and distances are those of a loop over the activities."""
    dice = random.Random(6)  # noqa: S311 made-up data
    rows = []
    for number in range(60):
        start, end = dice.choice(POSITIONS), dice.choice(POSITIONS)
        offset_s = dice.choice([0.0, 7200.0, -36_000.0])  # days are the athlete's own
        rows.append(
            run(number // 2, start, end, source_id=f"{number}", record_id=number + 1,
                file_sha256=f"{number}", start_s=1_600_000_000.0 + number * 40_000,
                utc_offset_s=offset_s, distance=float(dice.randint(1, 40_000)))
        )  # fmt: skip
    rows[5] = {**rows[5], "distance": None}
    lake.land(*rows)
    lake.enrich()
    outings = lake.ask(
        "select start_lat, start_lng, end_lat, end_lng, start_date_local::date, distance "
        "from activities"
    )
    assert len(outings) == 60
    for view, key in (("countries", ["country_code"]), ("cities", ["city", "country_code"])):
        said = lake.ask(
            f"select {', '.join(key)}, activity_count, day_count, first_day, last_day, "  # noqa: S608 our own names
            f"round(distance), round(distance_km, 3), round(distance_miles, 3) from {view}"
        )
        assert set(said) == _slow_count(outings, key)
        assert len(said) == len(set(said))


def _slow_count(outings: list[tuple[Any, ...]], key: list[str]) -> set[tuple[Any, ...]]:
    atlas = dataset.shipped()
    found: dict[tuple[Any, ...], list[tuple[dt.date, float | None, bool]]] = defaultdict(list)
    for start_lat, start_lng, end_lat, end_lng, day, distance in outings:
        for lat, lng, started in ((start_lat, start_lng, True), (end_lat, end_lng, False)):
            if lat is None:
                continue
            place = atlas.at(round(lat, 3), round(lng, 3))._asdict()
            if place[key[0]] is not None:
                found[tuple(place[name] for name in key)].append((day, distance, started))
    return {
        (
            *names,
            sum(started for _, _, started in visits),
            len({day for day, _, _ in visits}),
            min(day for day, _, _ in visits),
            max(day for day, _, _ in visits),
            *_distances(sum(distance or 0 for _, distance, started in visits if started)),
        )
        for names, visits in found.items()
    }


def _distances(distance: float) -> tuple[float, float, float]:
    return round(distance), round(distance / 1000, 3), round(distance / 1609.344, 3)


def test_status(lake: Lake) -> None:
    """enrichment_status says of each activity whether its place is known, and why not."""
    game = run(4, (-9.43, 159.95), sport_type="VirtualRide")
    lake.land(run(1, BARCELONA), run(2, SEA), run(3, None), game)
    asked = (
        "select places, places_reason from enrichment_status as s "
        "inner join activities as a on a.id = s.activity_id order by start_date"
    )
    never = [("impossible", "no_position"), ("impossible", "virtual")]
    assert lake.ask(asked) == [*[("pending", "not_looked_up")] * 2, *never]
    lake.enrich()
    assert lake.ask(asked) == [("done", None), ("impossible", "no_settlement"), *never]


def test_keys_of_cells() -> None:
    """A cell's name says which it is, south and west too; other names are none."""
    for cell in (places.Cell(41385, 2173), places.Cell(-1, -180_000), places.Cell(0, 0)):
        assert places.Cell.of(cell.key) == cell
    assert places.Cell.of("asked") is None


def test_compaction_of_a_batch_twice(lake: Lake) -> None:
    """Two landings of one cell are one row, the newer one's."""
    lake.land(run(1, BARCELONA))
    lake.enrich()
    report = PlacesReport()
    places.look_up(lake.session, [places.Cell(41385, 2173)], report)
    compaction.compact(lake.session)
    assert lake.ask("select count(*) from place_cells") == [(1,)]
    assert lake.ask("select count(*) from shards where entity = 'places'") == [(2,)]
