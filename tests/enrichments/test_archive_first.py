"""The archive first, then the API for what is new: points that are here are not fetched again."""

from pathlib import Path

from tests.sources import strava_place
from tests.sources.inbox import fit_bytes
from tests.sources.strava_place import Place
from tests.sources.test_files import zipped
from tests.sources.test_files_exports import row
from tests.test_strava_export import ENGLISH, table
from tracklake import compaction
from tracklake.sources import files


def import_archive(place: Place, contents: dict[int, bytes]) -> None:
    """Import Strava's archive with a file for each of some activities."""
    rows = [row(one, f"Run {one}", f"activities/{one}.fit") for one in contents]
    members = {f"activities/{one}.fit": data for one, data in contents.items()}
    archive = place.folder / "export.zip"
    archive.write_bytes(zipped({"activities.csv": table(ENGLISH, *rows), **members}))
    with place.session() as session:
        files.pull(session, [archive])
        compaction.compact(session)


def stream_calls(place: Place) -> set[int]:
    """Return the activities whose points were asked for."""
    return {int(call.path.split("/")[-2]) for call in place.upstream.calls_to("/streams")}


def test_points_of_the_archive_are_not_fetched_again(tmp_path: Path) -> None:
    """Details come for all, points for those without a file, or whose file is damaged."""
    with strava_place.opened(tmp_path, activities=0, points=150) as place:
        first, second, third = place.upstream.account.fill(3, manual=False, gps=True)
        damaged = fit_bytes(2)[:-700]
        import_archive(place, {first: fit_bytes(1), second: damaged})
        place.pull()
        place.enrich()
        place.compact()
        assert stream_calls(place) == {second, third}
        assert len(place.query("from activity_details")) == 3
        sources = place.query("select id, sources, stream_source from activities order by id")
        assert [one["sources"] for one in sources] == [
            ["files", "strava"],
            ["files", "strava"],
            ["strava"],
        ]
        assert sources[0]["stream_source"] == "files"
        place.compact(rebuild=True, verify=True)


def test_they_are_fetched_when_everything_is_asked_for(tmp_path: Path) -> None:
    """`enrich --all` fetches them too, and both stay in bronze; a lost state changes nothing."""
    with strava_place.opened(tmp_path, activities=0, points=150) as place:
        (only,) = place.upstream.account.fill(1, manual=False, gps=True)
        import_archive(place, {only: fit_bytes(1)})
        place.pull()
        place.enrich()
        assert stream_calls(place) == set()
        place.forget_state()
        with place.session() as session:
            files.pull(session, [])
        assert place.enrich().fetched == {}
        assert place.enrich(everything=True).fetched == {"streams": 1}
        place.compact()
        assert stream_calls(place) == {only}
        [kept] = place.query("select stream_source, point_count from activities")
        pages = list((place.folders.bronze / "strava" / "activity_streams").rglob("page-*"))
        assert len(pages) == 1
        assert kept["point_count"] > 0
