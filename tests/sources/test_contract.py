"""What holds for every source, whatever the service: one test, all five.

A source joins by a line in PLACES (see contract.py). A file is nobody's answer: it is not edited,
not deleted by anybody and not counted, so what is about that asks the services only.
"""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pytest

from tests.sources import (
    files_place,
    garmin_place,
    intervals_place,
    smashrun_place,
    strava_contract,
)
from tests.sources.contract import SourcePlace
from tests.upstream.calls import Call
from tracklake import shards

Opened = Callable[[Path], AbstractContextManager[SourcePlace]]

# name of the source -> how a place for it is opened, with nothing upstream yet.
PLACES: dict[str, Opened] = {
    "files": files_place.opened,
    "garmin": garmin_place.opened,
    "intervals": intervals_place.opened,
    "smashrun": smashrun_place.opened,
    "strava": strava_contract.opened,
}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SourcePlace]:
    """Return a place with six activities upstream, the oldest half a year back."""
    with _opened(request, tmp_path) as found:
        yield found


@pytest.fixture(params=[name for name in PLACES if name != "files"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SourcePlace]:
    """Return the same of a source that is asked over HTTP."""
    with _opened(request, tmp_path) as found:
        yield found


@contextlib.contextmanager
def _opened(request: pytest.FixtureRequest, folder: Path) -> Iterator[SourcePlace]:
    with PLACES[request.param](folder) as found:
        for days in (180, 90, 40, 9, 2, 1):
            found.upload(found.clock.now() - dt.timedelta(days=days), name=f"{days} days back")
        yield found


def asked(call: Call) -> str:
    """Name what a call asks for."""
    return call.line().split(" ", 1)[1]


def test_shape(place: SourcePlace) -> None:
    """Every row has its schema's columns, the record's id, source and athlete, and a sane start."""
    place.pull_all()
    rows = place.rows()
    assert len(rows) == 6
    pa.Table.from_pylist(list(rows.values()), schema=shards.ACTIVITIES)
    name = str(place.source.NAME)
    for source_id, row in rows.items():
        assert (row["source"], row["athlete"], row["source_id"]) == (name, "me", source_id)
        assert row["sport_type"]
        assert row["record_id"]
        assert (row["facts_hash"] is not None) == place.is_service
        assert (row["track_hash"] is not None) == place.is_service
    starts = sorted(row["start_s"] for row in rows.values())
    now_s = place.clock.now().timestamp()
    assert abs(now_s - 86_400 - starts[-1]) < 86_400
    place.compact()
    assert place.query("select count(*) as n from activities") == [{"n": 6}]


@pytest.mark.parametrize("most_calls", [1, 3])
def test_resumed_from_every_checkpoint(
    service: SourcePlace, tmp_path: Path, request: pytest.FixtureRequest, most_calls: int
) -> None:
    """Stopped after every few calls and gone on with: equal to one pull, hardly a call repeated."""
    pulls = service.pull_all(max_calls=most_calls)
    assert pulls > 1
    repeated = sum(count - 1 for count in Counter(map(asked, service.calls())).values())
    assert repeated <= service.page_calls
    name = request.node.callspec.params["service"]
    with PLACES[name](tmp_path / "at-once") as other:
        for days in (180, 90, 40, 9, 2, 1):
            other.upload(other.clock.now() - dt.timedelta(days=days), name=f"{days} days back")
        other.pull_all()
        assert set(service.rows()) == set(other.rows())
        assert service.contents().keys() == other.contents().keys()
        for entity, found in other.contents().items():
            assert len(service.contents()[entity]) == len(found)


def test_a_second_read_is_empty(place: SourcePlace) -> None:
    """Nothing new upstream: no file in bronze, and nothing of a known activity fetched again."""
    place.pull_all()
    before, so_far = place.bronze_files(), len(place.upstream.calls)
    place.advance(hours=2)
    report = place.pull()
    assert (report.new, report.changed, report.gone, report.parked) == (0, 0, 0, None)
    assert place.bronze_files() == before
    assert [call for call in place.calls(so_far) if place.is_original(call)] == []


def test_an_activity_of_the_future_hides_nothing(place: SourcePlace) -> None:
    """An activity dated next year lands, and those of the days after it still come."""
    future = place.upload(place.clock.now() + dt.timedelta(days=365), name="From next year")
    place.pull_all()
    assert future in place.rows()
    for _ in range(3):
        place.advance(days=1)
        new = place.upload(name="Later")
        place.pull_all()
        assert new in place.rows()


def test_a_late_upload(place: SourcePlace) -> None:
    """An activity of last year, uploaded now, is there within the days to the next full look."""
    place.pull_all()
    place.advance(days=1)
    late = place.upload(place.clock.now() - dt.timedelta(days=150), name="Late")
    place.pull_all()
    place.advance(days=place.reconcile_days)
    place.pull_all()
    assert late in place.rows()


def test_an_edit(service: SourcePlace) -> None:
    """Another name of a recent activity comes with the next pull, and nothing else lands again."""
    service.pull_all()
    recent = max(service.rows(), key=lambda one: service.rows()[one]["start_s"])
    service.advance(hours=2)
    service.edit(recent, name="Renamed")
    so_far = len(service.shard_rows("activities"))
    report = service.pull()
    assert (report.new, report.changed) == (0, 1)
    assert service.rows()[recent][service.name_column] == "Renamed"
    assert len(service.shard_rows("activities")) == so_far + 1


def test_a_deletion(service: SourcePlace) -> None:
    """What the service has no more gets a tombstone, once; when it comes back, it is back."""
    service.pull_all()
    gone = min(service.rows(), key=lambda one: service.rows()[one]["start_s"])
    service.delete(gone)
    service.advance(days=service.reconcile_days)
    service.pull_all()
    assert gone not in service.rows()
    assert len(service.rows()) == 5
    service.advance(days=service.reconcile_days)
    service.pull_all()
    assert len(service.shard_rows("activity_tombstones")) == 1
    service.compact()
    assert service.query("select count(*) as n from activities") == [{"n": 5}]


def test_a_quota_that_is_used_up(service: SourcePlace) -> None:
    """Refused for quota, a pull is parked and no failure; after its time it goes on to the end."""
    refill_s = service.exhaust_quota()
    report = service.pull()
    if report.parked is None:  # it sat the wait out
        assert len(service.rows()) == 6
        return
    assert report.parked.until <= service.clock.now() + dt.timedelta(seconds=refill_s + 60)
    refusals = sum(call.status == 429 for call in service.upstream.calls)
    assert refusals <= 3
    service.pull_all()
    assert len(service.rows()) == 6


def test_one_bad_record(place: SourcePlace) -> None:
    """A record that cannot be read is set aside once, the others land; mended, it lands too."""
    bad = place.spoil()
    place.pull_all()
    assert len(place.rows()) == 6
    assert len(place.quarantined()) == 1
    before = place.bronze_files()
    place.advance(hours=2)
    place.pull_all()
    assert place.bronze_files() == before
    place.mend(bad)
    place.advance(days=place.reconcile_days)
    place.pull_all()
    assert bad in place.rows()
    assert place.quarantined() == []


def test_a_schema_that_drifts(place: SourcePlace) -> None:
    """Unknown fields, vanished optional ones and numbers as text cost no activity."""
    place.drift()
    place.pull_all()
    rows = place.rows()
    assert len(rows) == 6
    assert place.quarantined() == []
    assert all(row["distance"] and row["distance"] > 0 for row in rows.values())
    place.compact()
    assert place.query("select count(*) as n from activities") == [{"n": 6}]
