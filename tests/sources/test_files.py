"""The `files` source from end to end, on files that our own writers made."""

import gzip
import io
import os
import sqlite3
import zipfile
from pathlib import Path

import pytest

from tests.sources.inbox import Inbox, fit_bytes, run
from tracklake.clock import from_unix
from tracklake.errors import ConfigError, StorageError
from tracklake.formats import gpx_writer, tcx_writer
from tracklake.identity import bytes_hash, record_id
from tracklake.sources import files


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def zipped(members: dict[str, bytes]) -> bytes:
    """Make an archive."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return memory.getvalue()


def test_a_file_becomes_a_record_with_its_points_and_its_original(inbox: Inbox) -> None:
    """A FIT file in the inbox yields one record, its points, and the original untouched."""
    content = fit_bytes(1)
    path = inbox.put("a run.fit", content)
    report = inbox.pull()
    (row,) = inbox.rows("activities")
    (original,) = inbox.rows("original_files")
    sha256 = bytes_hash(content)
    assert (report.activities, report.quarantined, row["source_id"]) == (1, 0, sha256)
    assert row["record_id"] == record_id("me", "files", sha256)
    assert (row["external_id"], row["file_format"], row["sport_type"]) == (
        "a run.fit",
        "fit",
        "Run",
    )
    assert inbox.points(row["stream_key"]).num_rows == 120
    assert (inbox.folders.data / str(original["location"])).read_bytes() == content
    assert path.read_bytes() == content


def test_a_second_pull_decodes_nothing_and_starts_no_worker(inbox: Inbox) -> None:
    """What did not change is neither opened nor decoded again."""
    path = inbox.put("run.fit", fit_bytes(1))
    inbox.pull()
    status = path.stat()
    path.write_bytes(b"\0" * status.st_size)  # were it opened, it would be set aside
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    report = inbox.pull()
    assert (report.unchanged, report.decoded, report.quarantined) == (1, 0, 0)
    assert len(inbox.rows("activities")) == 1


def test_the_same_content_is_one_activity_however_it_is_named_and_packed(inbox: Inbox) -> None:
    """run.fit, its copy, run.fit.gz and the same in an archive are one record."""
    content = fit_bytes(2)
    inbox.put("b.fit", content)
    inbox.put("copy.fit", content)
    inbox.put("packed.fit.gz", gzip.compress(content))
    inbox.pull()
    inbox.put("archive.zip", zipped({"in/side.fit": content, "z.gz": gzip.compress(content, 1)}))
    report = inbox.pull()
    assert report.duplicates == 2
    assert [row["source_id"] for row in inbox.rows("activities")] == [bytes_hash(content)]


def test_all_formats_arrive(inbox: Inbox) -> None:
    """FIT, GPX and TCX, plain, gzipped, in archives and archives in archives become records."""
    inbox.put("1.fit", fit_bytes(1))
    inbox.put("2.gpx", gpx_writer.encode(run(2)))
    inbox.put("3.tcx", tcx_writer.encode(run(3)))
    inbox.put("deep/er/4.gpx.gz", gzip.compress(gpx_writer.encode(run(4))))
    inner = zipped({"5.tcx": tcx_writer.encode(run(5)), "6.fit": fit_bytes(6)})
    inbox.put("export.zip", zipped({"parts/1.zip": inner, "photo.jpg": b"\xff\xd8\xff"}))
    report = inbox.pull()
    formats = sorted(str(row["file_format"]) for row in inbox.rows("activities"))
    assert formats == ["fit", "fit", "gpx", "gpx", "tcx", "tcx"]
    assert (report.activities, report.quarantined, report.ignored) == (6, 0, 1)
    seen = [str(row["seen_as"]) for row in inbox.rows("original_files")]
    assert "export.zip!parts/1.zip!5.tcx" in seen
    assert inbox.leftovers() == []


def test_sniffed_by_content(inbox: Inbox) -> None:
    """A FIT file called .gpx is a FIT file; a picture called .fit is set aside; a note is left."""
    inbox.put("misnamed.gpx", fit_bytes(1))
    inbox.put("picture.fit", b"\xff\xd8\xff\xe0 JFIF" * 10)
    inbox.put("page.tcx", b"<!doctype html><title>Sign in</title>")
    inbox.put("empty.fit", b"")
    inbox.put("README.txt", b"these are my runs")
    report = inbox.pull()
    assert report.activities == 1
    assert report.ignored == 1
    assert set(inbox.quarantine()) == {"picture.fit", "page.tcx", "empty.fit"}
    kept = {str(row["seen_as"]): row["outcome"] for row in inbox.rows("original_files")}
    assert kept["page.tcx"] == "quarantined"


def test_courses_are_known_and_left_alone(inbox: Inbox) -> None:
    """A planned route is no activity: no record, no quarantine, not decoded again."""
    point = '<rtept lat="1" lon="2"/>'
    inbox.put("route.gpx", f'<gpx version="1.1"><rte>{point}{point}</rte></gpx>'.encode())
    first = inbox.pull()
    os.utime(inbox.folders.inbox / "route.gpx", (5, 5))
    second = inbox.pull()
    assert (first.not_activities, first.quarantined) == (1, 0)
    assert (second.decoded, second.duplicates) == (0, 1)
    assert inbox.rows("activities") == []


def test_a_lost_state_database_costs_no_decoding(inbox: Inbox) -> None:
    """The index of decoded contents is made anew from bronze."""
    for day in range(3):
        inbox.put(f"{day}.fit", fit_bytes(day))
    inbox.put("bad.fit", b"<html>")
    inbox.pull()
    for path in inbox.folders.state.iterdir():
        path.unlink()
    report = inbox.pull()
    assert (report.decoded, report.duplicates, len(inbox.rows("activities"))) == (0, 4, 3)
    assert set(inbox.quarantine()) == {"bad.fit"}


def test_import_takes_files_folders_and_archives(inbox: Inbox, tmp_path: Path) -> None:
    """What the person names is taken wherever it lies, however young, and stays there."""
    outside = tmp_path / "Downloads"
    (outside / "folder").mkdir(parents=True)
    (outside / "one.fit").write_bytes(fit_bytes(1))
    (outside / "folder" / "two.fit").write_bytes(fit_bytes(2))
    (outside / "three.zip").write_bytes(zipped({"3.fit": fit_bytes(3)}))
    named = [outside / "one.fit", outside / "folder", outside / "three.zip"]
    for path in named:
        now_s = inbox.clock.moment.timestamp()
        os.utime(path, (now_s, now_s))
    report = inbox.pull(*named)
    assert (report.activities, inbox.clock.slept_s) == (3, 0.0)
    assert (outside / "one.fit").read_bytes() == fit_bytes(1)


def test_import_of_nothing_is_said(inbox: Inbox, tmp_path: Path) -> None:
    """A path that does not exist is the person's mistake, told before anything is done."""
    with pytest.raises(ConfigError, match=r"no .*nowhere\.fit"):
        inbox.pull(tmp_path / "nowhere.fit")


def test_a_file_being_copied_waits(inbox: Inbox) -> None:
    """A young file is looked at twice; one that grows meanwhile is left for the next run."""
    path = inbox.put("half.fit", fit_bytes(1)[:500])
    now_s = inbox.clock.moment.timestamp() - 1
    os.utime(path, (now_s, now_s))

    def grow(seconds: float) -> None:
        path.write_bytes(fit_bytes(1))
        type(inbox.clock).sleep(inbox.clock, seconds)

    inbox.clock.sleep = grow  # type: ignore[method-assign] # a file that changes while we wait
    first = inbox.pull()
    os.utime(path, (5, 5))
    second = inbox.pull()
    assert (first.activities, first.quarantined) == (0, 0)
    assert (second.activities, second.salvaged) == (1, 0)


def test_hidden_and_linked_files_are_left_alone(inbox: Inbox, tmp_path: Path) -> None:
    """Nothing outside the inbox is read through a link, and no system's litter either."""
    (tmp_path / "private.fit").write_bytes(fit_bytes(9))
    (inbox.folders.inbox / "link.fit").symlink_to(tmp_path / "private.fit")
    (inbox.folders.inbox / "loop").symlink_to(inbox.folders.inbox)
    inbox.put("._run.fit", b"\0\5\x16\7")
    inbox.put("__MACOSX/run.fit", b"\0\5\x16\7")
    inbox.put(".landing-0123-run.fit", fit_bytes(8))
    os.mkfifo(inbox.folders.inbox / "pipe.fit")
    report = inbox.pull()
    assert (report.found, report.quarantined) == (0, 0)


def test_salvage_is_said(inbox: Inbox) -> None:
    """A truncated file yields an activity whose problems are told, and counts as salvaged."""
    inbox.put("cut.fit", fit_bytes(1, 600)[:-2000])
    report = inbox.pull()
    (row,) = inbox.rows("activities")
    assert (report.activities, report.salvaged) == (1, 1)
    assert row["problems"]


def test_a_cut_gzip_is_salvaged(inbox: Inbox) -> None:
    """An incomplete download of a gzipped file gives what it holds, and says so."""
    packed = gzip.compress(fit_bytes(1, 3000))
    inbox.put("cut.fit.gz", packed[: len(packed) // 2])
    report = inbox.pull()
    (row,) = inbox.rows("activities")
    assert report.salvaged == 1
    assert "the gzip ends too early" in row["problems"]  # type: ignore[operator] # a list of texts


def test_set_aside_is_tried_again_from_the_original_when_it_is_due(inbox: Inbox) -> None:
    """The next try reads the landed original, also when the person's file is gone."""
    inbox.put("page.fit", b"<html>").unlink()
    path = inbox.put("page.fit", b"<html>")
    inbox.pull()
    path.unlink()
    soon = inbox.pull()
    inbox.clock.moment += from_unix(3 * 86400) - from_unix(0)
    later = inbox.pull()
    state = sqlite3.connect(inbox.folders.state / "tracklake.sqlite")
    attempts = state.execute("select attempts from quarantine").fetchall()
    state.close()
    assert (soon.decoded, later.decoded, attempts) == (0, 1, [(2,)])


def test_a_full_disk_stops_before_it_is_full(inbox: Inbox) -> None:
    """Originals are not landed into the last free GiB: the run stops and says so."""
    inbox.put("run.fit", fit_bytes(1))
    session = inbox.session()
    with pytest.raises(StorageError, match="make room"):
        files.pull(session, keep_free_bytes=1 << 60)
    session.state.close()
    assert inbox.pull().activities == 1
    assert inbox.leftovers() == []


def test_two_athletes_do_not_meet(inbox: Inbox) -> None:
    """The same file is a record of each athlete who has it."""
    inbox.put("run.fit", fit_bytes(1))
    inbox.pull()
    session = inbox.session("eve")
    report = files.pull(session)
    session.state.close()
    assert report.activities == 1
    assert {row["athlete"] for row in inbox.rows("activities")} == {"me", "eve"}


def test_is_configured_by_what_lies_in_the_inbox(inbox: Inbox) -> None:
    """An empty inbox is no source."""
    before = files.is_configured(inbox.folders, inbox.settings)
    inbox.put("a.fit", b"x")
    assert (before, files.is_configured(inbox.folders, inbox.settings)) == (False, True)


def test_the_corpus_goes_through(inbox: Inbox, corpus: Path) -> None:
    """Every real file has an outcome; none kills, stalls or surprises a worker."""
    report = inbox.pull(corpus)
    surprises = {"decoder_error", "decoder_killed", "memory", "timeout"}
    assert surprises.isdisjoint(inbox.quarantine().values())
    told = report.duplicates + report.ignored + report.decoded
    assert told == report.found > 200
    again = inbox.pull(corpus)
    assert (again.decoded, again.duplicates + again.ignored) == (0, report.found)


def test_all_opens_every_file_and_decodes_every_original_once(inbox: Inbox) -> None:
    """`--all` finds a file that changed behind its size and time, and decodes bronze again."""
    path = inbox.put("a.fit", fit_bytes(1))
    inbox.put("b.fit", fit_bytes(2))
    assert inbox.pull().activities == 2
    before = path.stat()
    other = fit_bytes(3)
    assert len(other) == before.st_size
    path.write_bytes(other)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert inbox.pull().unchanged == 2
    again = inbox.pull(everything=True)
    assert (again.activities, again.repeated, again.decoded) == (1, 2, 3)
    assert (again.duplicates, again.unchanged) == (1, 0)


def newest(inbox: Inbox) -> dict[str, int]:
    """Count the points of each record's newest landing."""
    keys = {str(row["source_id"]): row["stream_key"] for row in inbox.rows("activities")}
    return {source_id: inbox.points(key).num_rows for source_id, key in keys.items()}


def test_lost_points_are_made_anew_from_bronze(inbox: Inbox) -> None:
    """Without data/streams, data/tracks and the person's files, `--all` makes all points again."""
    inbox.put("a.fit", fit_bytes(1))
    inbox.put("z.zip", zipped({"b.gpx.gz": gzip.compress(gpx_writer.encode(run(2)))}))
    inbox.pull()
    before = newest(inbox)
    for folder in (inbox.folders.inbox, inbox.folders.streams, inbox.folders.tracks):
        for path in folder.rglob("*"):
            if path.is_file():
                path.unlink()
    assert files.is_configured(inbox.folders, inbox.settings)
    report = inbox.pull(everything=True)
    assert (report.repeated, report.activities, report.found) == (2, 0, 2)
    assert newest(inbox) == before == dict.fromkeys(before, 120)
    assert len(list(inbox.folders.tracks.rglob("*.parquet"))) == 1
    assert inbox.quarantine() == {}


def objects(inbox: Inbox) -> list[Path]:
    """List the originals that landed."""
    folder = inbox.folders.bronze / "files" / "original_files" / "athlete=me" / "objects"
    return [path for path in folder.rglob("*") if path.is_file()]


def spoil(path: Path) -> None:
    """Turn over one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_an_original_that_is_missing_lands_again(inbox: Inbox) -> None:
    """An ordinary pull sees that an original is gone or cut, and lands the same bytes again."""
    inbox.put("a.fit", fit_bytes(1))
    inbox.put("b.fit", fit_bytes(2))
    inbox.pull()
    gone, cut = objects(inbox)
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:-9])
    assert inbox.pull().decoded == 2
    assert {bytes_hash(path.read_bytes()) for path in objects(inbox)} == {gone.stem, cut.stem}
    assert inbox.pull().unchanged == 2


@pytest.mark.parametrize("packed", [False, True])
def test_importing_a_file_again_mends_its_original(inbox: Inbox, packed: bool) -> None:
    """An original whose bytes are not those of its name lands again, from a file or an archive."""
    content = gzip.compress(fit_bytes(1))
    name = "a.zip" if packed else "a.fit.gz"
    path = inbox.put(name, zipped({"a.fit.gz": content}) if packed else content)
    inbox.pull()
    (original,) = objects(inbox)
    spoil(original)
    assert inbox.pull().unchanged == 1
    report = inbox.pull(path)
    assert (report.decoded, original.read_bytes()) == (1, content)
    assert inbox.pull(path).decoded == 0


def test_all_says_which_originals_are_damaged_and_mends_those_it_can(inbox: Inbox) -> None:
    """A damaged original never becomes a record; it is an entry until it is mended."""
    path = inbox.put("a.fit", fit_bytes(1))
    inbox.put("b.fit", fit_bytes(2))
    inbox.pull()
    for original in objects(inbox):
        spoil(original)
    path.unlink()
    inbox.pull(everything=True)
    assert inbox.quarantine() == {"a.fit": "damaged_original"}
    assert set(newest(inbox)) == {bytes_hash(fit_bytes(1)), bytes_hash(fit_bytes(2))}
    inbox.put("elsewhere.fit", fit_bytes(1))
    inbox.pull(everything=True)
    assert inbox.quarantine() == {}
    assert {bytes_hash(path.read_bytes()) for path in objects(inbox)} == set(newest(inbox))


def test_a_file_replaced_by_a_good_one_leaves_the_quarantine(inbox: Inbox) -> None:
    """Under the same name: content that is new, that is known, and for another athlete not."""
    inbox.put("a.fit", b"<html>")
    inbox.put("b.fit", b"{}")
    inbox.put("c.fit", b"<html>")
    inbox.pull()
    session = inbox.session("eve")
    files.pull(session)
    session.state.close()
    inbox.put("a.fit", fit_bytes(1))
    inbox.put("b.fit", fit_bytes(1))
    inbox.pull()
    state = sqlite3.connect(inbox.folders.state / "tracklake.sqlite")
    rows = state.execute("select athlete, item from quarantine order by 1, 2").fetchall()
    state.close()
    assert rows == [("eve", "a.fit"), ("eve", "b.fit")]
