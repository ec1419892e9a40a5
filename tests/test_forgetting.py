"""Forgetting a source, wholly or what is old, leaves nothing of it and everything else."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from tests.sources import strava_place
from tests.sources.inbox import fit_bytes
from tests.sources.strava_place import Place
from tracklake import flow, pages
from tracklake.backup import manifest
from tracklake.flow import FlowReport


def run_forget(place: Place, source: str, older_than_days: int | None = None) -> FlowReport:
    """Forget as the command does."""
    report = FlowReport()
    with flow.running("forget", *place.load(), report, clock=place.clock) as session:
        flow.forget(session, report, source, older_than_days)
    return report


def with_a_file(place: Place) -> None:
    """Put one file of another source into the inbox."""
    inbox = place.folders.inbox
    inbox.mkdir(parents=True)
    (inbox / "run.fit").write_bytes(fit_bytes(3))
    place.clock.advance(10)


def left_of(folder: Path, texts: set[bytes]) -> list[Path]:
    """Return the files below a folder that hold one of the texts, in their bytes or their name."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file()
        and any(text in path.read_bytes() or text.decode() in path.name for text in texts)
    ]


def test_a_forgotten_source_is_gone_everywhere(tmp_path: Path) -> None:
    """No activity, point, page, tile or quarantine entry of Strava is left; the file's all are."""
    with strava_place.opened(tmp_path, activities=6, points=60) as place:
        with_a_file(place)
        place.flow()
        assert place.query("select count(*) as n from activities") == [{"n": 7}]
        names = {str(place.upstream.account.truth(one)["name"]).encode() for one in place.gold()}
        ids = {str(one).encode() for one in place.gold()}
        report = run_forget(place, "strava")
        assert report.forgotten is not None
        assert report.forgotten.files > 12
        assert place.query("select sources from activities") == [{"sources": ["files"]}]
        for table in ("activity_details", "gear", "activity_segment_efforts", "activity_zones"):
            assert place.query(f"from {table}") == []
        assert place.state("select count(*) from upstream_records") == [(0,)]
        for folder in (place.folders.bronze, place.folders.tiles, place.folders.streams):
            assert left_of(folder, names | ids) == []


def test_what_was_forgotten_comes_back_only_when_it_is_fetched_again(tmp_path: Path) -> None:
    """The next flow starts from nothing, and ends with everything."""
    with strava_place.opened(tmp_path, activities=5, points=40) as place:
        place.flow()
        run_forget(place, "strava")
        assert place.gold_ids() == set()
        place.flow()
        assert place.differences() == []


def test_files_can_be_forgotten_too(tmp_path: Path) -> None:
    """Originals, points, what is remembered of files go; Strava's stay, and the inbox does."""
    with strava_place.opened(tmp_path, activities=3, points=40) as place:
        with_a_file(place)
        place.flow()
        run_forget(place, "files")
        assert place.gold_ids() == place.upstream.visible_set()
        assert list((place.folders.bronze / "files").rglob("*.fit*")) == []
        assert (place.folders.inbox / "run.fit").exists()
        assert place.state("select count(*) from decoded") == [(0,)]


@pytest.mark.parametrize("days", [7, 30])
def test_what_is_too_old_is_forgotten_by_each_flow(tmp_path: Path, days: int) -> None:
    """With TRACKLAKE_KEEP_DAYS nothing stays longer than that; the rest is fetched anew."""
    with strava_place.opened(tmp_path, activities=4, points=40) as place:
        place.settings_given = {"keep_days": {"strava": days}}
        place.flow()
        assert len(place.gold_ids()) == 4
        place.advance(days=days + 1)
        place.upstream.account.upload()
        place.flow()
        assert place.differences() == []
        landed = place.query("select min(ingested_at) as oldest from activity_sources")
        assert (place.clock.now() - landed[0]["oldest"]).days < days
        for path in (place.folders.bronze / "strava").rglob("page-*"):
            assert (place.clock.now() - _landed_at(path)).days < days


def _landed_at(page: Path) -> dt.datetime:
    return pages.began_at(page.parent)


def test_what_remains_is_said(tmp_path: Path) -> None:
    """Backups of before, the login and the logs are named; a backup made afterwards is without."""
    with strava_place.opened(tmp_path, activities=3, points=40) as place:
        with_a_file(place)
        place.flow()
        report = run_forget(place, "strava")
        assert report.forgotten is not None
        said = "\n".join(report.forgotten.remains)
        for part in ("1 backup of before holds it", "strava_token.json", "logs", "uploaded"):
            assert part in said, said
        place.settings_given = {"sources": ("files",)}
        place.advance(days=1)
        (place.folders.inbox / "more.fit").write_bytes(fit_bytes(4))
        place.flow()
        newest = max((place.folders.data / "backups/manifests").iterdir())
        assert b"bronze/strava" not in manifest.unpack(newest.read_bytes()), newest


def test_forgetting_halfway_can_be_run_again(tmp_path: Path) -> None:
    """What a broken-off forgetting left is removed by the next one; gold is whole again."""
    with strava_place.opened(tmp_path, activities=4, points=40) as place:
        place.flow()
        bronze = place.folders.bronze / "strava" / "activities"
        for path in bronze.rglob("shard.parquet"):
            path.unlink()
        run_forget(place, "strava")
        assert place.gold_ids() == set()
        assert list((place.folders.bronze / "strava").rglob("page-*")) == []


def test_lost_points_are_read_from_the_pages_again(tmp_path: Path) -> None:
    """Without the files of points a flow makes them anew, without a call more than usual."""
    with strava_place.opened(tmp_path, activities=5, points=50) as place:
        place.flow()
        before = place.query("select count(*) as n from activity_streams")
        tracks = place.query("select count(*) as n from activity_tracks")
        assert before[0]["n"] > 0
        for root in (place.folders.streams, place.folders.tracks):
            shutil.rmtree(root / "source=strava")
        calls = len(place.upstream.calls)
        place.flow()
        assert len(place.upstream.calls) - calls == 2
        assert place.query("select count(*) as n from activity_streams") == before
        assert place.query("select count(*) as n from activity_tracks") == tracks
        assert place.differences() == []
        place.compact(rebuild=True, verify=True)
